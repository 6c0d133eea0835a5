"""One loop for every call that is answered from the book: parameters checked, page keys, pages.

What differs between the calls is a `Question` (`kis_nb.demo.questions`).
"""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, NamedTuple

from kis_nb.demo.questions import PARAMETERS
from kis_nb.demo.replies import JSON, Reply, dump, error

if TYPE_CHECKING:
    from collections.abc import Collection

    from kis_nb.demo.book import Book
    from kis_nb.demo.found import Found
    from kis_nb.demo.questions import Question

_KEY = re.compile(r"([0-9]{1,12})\^([0-9]{1,9})\^([0-9]{1,6})\^", re.ASCII)
_KEY_LENGTH = 200
_MESSAGE_LENGTH = 80  # bytes of msg1, blanks included (docs/sources.md, "Responses")


def _message(text: str) -> str:
    return text + " " * (_MESSAGE_LENGTH - len(text.encode("cp949")))


# Success codes seen or documented (docs/sources.md, "Responses"). No client may test them, so they
# vary here too.
_FOUND = ("KIOK0510", _message("조회가 완료되었습니다"))
_NOTHING = ("KIOK0530", _message("조회되었습니다"))
_MORE = ("KIOK0500", _message("조회가 계속됩니다"))
_LAST = ("KIOK0460", _message("조회되었습니다. (마지막 자료)"))
# Market data has another code (docs/sources.md, "Quotes").
_QUOTED = ("MCA00000", "정상처리 되었습니다.")
_KEPT = 256


class _Place(NamedTuple):
    """Which page of which pull a call asks for; equal places get equal bytes.

    `search` is the query without the page keys, `moment` the epoch second of the pull's first call,
    `revision` the account's then, `start` the first row, from 0.
    """

    search: str
    moment: int
    revision: int
    start: int

    def key(self, start: int) -> str:
        """The key of the page from row `start`. With the moment in it all pages show one moment."""
        return f"{self.moment}^{self.revision}^{start}^"


class Pages:
    """Answers the calls of one kind that passed the gateway's checks. Thread-safe.

    Args:
        question: the kind of call.
        book: the accounts.
        page_rows: rows on a page.
        key_seconds: how long the key of a next page stays valid.
    """

    def __init__(self, question: Question, book: Book, page_rows: int, key_seconds: float) -> None:
        self._question = question
        self._book = book
        self._rows = page_rows
        self._key_seconds = key_seconds
        self._pages: OrderedDict[object, bytes] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def about_account(self) -> bool:
        """Whether the calls are about an account."""
        return self._question.about_account

    def page_number(self, headers: dict[str, str], query: dict[str, str]) -> int:
        """The page that a call asks for, from 1."""
        found = _KEY.fullmatch(query.get("CTX_AREA_NK200", "").strip())
        return int(found[3]) // self._rows + 1 if found and self._follows(headers, query) else 1

    def answer(
        self,
        headers: dict[str, str],
        query: dict[str, str],
        now: float,
        bound: Collection[str] | None = None,
    ) -> Reply:
        """The page, or the error for the first parameter that is wrong.

        `now` is in epoch seconds; `bound` are the accounts that the app key may ask for, all with
        None.
        """
        refused = self._refused(query, bound)
        if refused is not None:
            return refused
        place = self._place(headers, query, now)
        if place is None:
            return error("SYDB0050")
        tr_id = headers["tr_id"]
        account = _account(query) if self.about_account else ""
        found = self._question.find(self._book, account, query, place.moment)
        stop = place.start + self._rows
        if place.start % self._rows or (place.start and place.start >= len(found)):
            return error("SYDB0050")
        more = stop < len(found)
        with self._lock:
            body = self._pages.get((place, tr_id))
        if body is None:
            body = self._page(place, found, tr_id, following=place.key(stop) if more else "")
            with self._lock:
                self._pages[place, tr_id] = body
                if len(self._pages) > _KEPT:
                    self._pages.popitem(last=False)
        letter = ("M" if place.start else "F") if more else ("E" if place.start else "D")
        if not self._paged:
            letter = ""
        sent = [JSON, ("tr_id", tr_id), ("tr_cont", letter)]
        if "gt_uid" in headers:
            sent.append(("gt_uid", headers["gt_uid"]))
        return Reply(200, tuple(sent), body)

    def _refused(self, query: dict[str, str], bound: Collection[str] | None) -> Reply | None:
        for name in self._question.endpoint.params:
            korean, blank = PARAMETERS[name]
            if name not in query or (not blank and not query[name].strip()):
                return error("APMP0001", about=korean)
        if not self.about_account:
            return None if self._question.valid(query) else error("OPSQ2001")
        account = _account(query)
        own = self._book.accounts if bound is None else bound
        if account not in self._book or account not in own:
            # The own customer with an unknown product code gets another error (docs/sources.md,
            # "Keys and accounts").
            known = any(each[:8] == account[:8] for each in own)
            return error("KIOK0560" if known and account not in self._book else "OPSQ2000")
        return None if self._question.valid(query) else error("OPSQ2001")

    def _place(self, headers: dict[str, str], query: dict[str, str], now: float) -> _Place | None:
        """The page that is asked for; None when its key is not, or no longer, valid."""
        search = "".join(f"{query[name]}^" for name in self._question.search)
        revision = self._book.revision(_account(query)) if self.about_account else 0
        if not self._follows(headers, query):
            return _Place(search, int(now), revision, 0)
        key = _KEY.fullmatch(query["CTX_AREA_NK200"].strip())
        if key is None or int(key[2]) != revision:
            return None
        if "CTX_AREA_FK200" in query and query["CTX_AREA_FK200"].strip() != search:
            return None
        if not 0 <= now - int(key[1]) <= self._key_seconds:
            return None
        return _Place(search, int(key[1]), revision, int(key[3]))

    def _page(self, place: _Place, found: Found, tr_id: str, *, following: str) -> bytes:
        blocks = found.blocks(place.start, place.start + self._rows, tr_id)
        if not (self._paged or self.about_account):
            msg_cd, msg1 = _QUOTED
        elif following:
            msg_cd, msg1 = _MORE
        else:
            msg_cd, msg1 = _LAST if place.start else _FOUND if len(found) else _NOTHING
        keys = {"CTX_AREA_FK200": place.search, "CTX_AREA_NK200": following}
        return dump(
            {
                **{
                    name.lower(): keys[name].ljust(_KEY_LENGTH)
                    for name in self._question.endpoint.cursors
                },
                **blocks,
                "rt_cd": "0",
                "msg_cd": msg_cd,
                "msg1": msg1,
            }
        )

    @property
    def _paged(self) -> bool:
        return bool(self._question.endpoint.cursors)

    def _follows(self, headers: dict[str, str], query: dict[str, str]) -> bool:
        """Whether this asks for a next page; without ``N`` or keys it is a first request."""
        keys = (query.get(name, "").strip() for name in self._question.endpoint.cursors)
        return self._paged and headers.get("tr_cont", "").upper() == "N" and all(keys)


def _account(query: dict[str, str]) -> str:
    return f"{query['CANO']}-{query['ACNT_PRDT_CD']}"
