"""The broker's own figures in the form of a report of `kis-nb check --report`.

Above `kis_nb.demo.balance`: imports `kis_nb.demo.replies`, `kis_nb.demo.style`, `kis_nb._schema`
and the standard library. What a live service was seen to do otherwise so becomes a test: keys
there and not there, their order, how figures are padded and with how many decimals, rows on a
page, the letters of tr_cont, how the keys of the next page look, codes.

What a report cannot tell is the broker's: a field that the broker has no figure for is 0, written
as recorded (a text is some text of that form); a field that only some rows had is on every other
row; a field that was blank in some rows only is as the broker has it. A view that was refused is
refused.
"""

from __future__ import annotations

import json
import re
import secrets
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from kis_nb._schema.night_balance import NIGHT_BALANCE
from kis_nb.demo.replies import ERRORS, Reply, dump
from kis_nb.demo.style import Style, expand, runs

if TYPE_CHECKING:
    from kis_nb.demo.balance import BalanceDesk

VERSION = 1
Place: TypeAlias = Literal["only", "first", "middle", "last"]
_NAME = re.compile(r"[a-z][a-z0-9_]*", re.ASCII)
_FK, _NK = (name.lower() for name in NIGHT_BALANCE.cursors)
_LETTERS: dict[str, Place] = {"F": "first", "M": "middle", "E": "last", "D": "only"}
# Where a report tells nothing about a place, the next best.
_NEAR: dict[Place, tuple[Place, ...]] = {
    "only": ("only", "last", "first", "middle"),
    "first": ("first", "middle", "only", "last"),
    "middle": ("middle", "first", "last", "only"),
    "last": ("last", "only", "middle", "first"),
}
# Both are where a walk ends: the letter of tr_cont there is the same.
_ENDS: dict[Place, Place] = {"only": "last", "last": "only"}


@dataclass(frozen=True, slots=True)
class _Block:
    """A block's keys in order, which of them only some rows have, and how each is written."""

    order: tuple[str, ...] = ()
    some: frozenset[str] = frozenset()
    styles: Mapping[str, Style] = field(default_factory=dict)
    listed: bool = True

    @classmethod
    def of(cls, told: Sequence[Mapping[str, Any]]) -> _Block:
        order = dict.fromkeys(name for one in told for name in one.get("order", ()))
        patterns: dict[str, Counter[str]] = {name: Counter() for name in order}
        for one in told:
            for name, counts in one.get("patterns", {}).items():
                patterns.setdefault(name, Counter()).update(counts)
        return cls(
            tuple(name for name in order if _NAME.fullmatch(name)),
            frozenset(name for one in told for name in one.get("in_some_rows", ())),
            {name: Style.of(counts, name) for name, counts in patterns.items()},
            any(one.get("type") == "list" for one in told),
        )

    def write(self, row: Mapping[str, Any], number: int) -> dict[str, str | None]:
        """A row of the broker's with these keys, so written; `number` counts from 0."""
        return {
            name: self.styles[name].write(row.get(name))
            for name in self.order
            if not (name in self.some and number % 2)
        }


class _View:
    """What one view's calls looked like."""

    def __init__(self, calls: Sequence[Mapping[str, Any]]) -> None:
        balance = [one for one in calls if one.get("call") == "balance"]
        good = [one for one in balance if one.get("rt_cd") == "0" and "output2" in one]
        starts = [at for at, one in enumerate(good) if not one.get("follow_up")]
        walk = good[starts[-1] :] if starts else good
        names: list[Place] = ["first", *["middle"] * (len(walk) - 2), "last"]  # type: ignore[list-item]
        if len(walk) == 1:
            names = ["only"]
        # Of several middle pages the first.
        self.pages = dict(reversed(list(zip(names, walk, strict=False))))
        self.refused = None if good or not balance else balance[-1]
        counts = [one["output1"].get("rows", 0) for one in walk if "output1" in one]
        self.rows = max(counts, default=0)
        self.rows_block = _Block.of([one["output1"] for one in walk if _has(one, "output1")])
        self.summary = _Block.of([one["output2"] for one in walk if _has(one, "output2")])

    def near(self, place: Place) -> Mapping[str, Any]:
        """The page at this place, or the one most like it."""
        return next(self.pages[other] for other in _NEAR[place] if other in self.pages)


def _has(page: Mapping[str, Any], block: str) -> bool:
    return "order" in page.get(block, {})


class Form:
    """How a report says that the service answers.

    Args:
        report: what `kis-nb check --report` wrote, as JSON gives it.

    Attributes:
        rows: rows on a page; None when the report had one page only, of no more than 20.

    Raises:
        ValueError: it is no such report, or of another version.
    """

    def __init__(self, report: Mapping[str, Any]) -> None:
        if report.get("kis_nb_report") != VERSION:
            raise ValueError(f"form takes a report of kis-nb check --report, version {VERSION}")
        self._views: dict[tuple[str, str], _View] = {}
        try:
            for account in report["accounts"]:
                for told in account["views"]:
                    view = _View(told["calls"])
                    codes = told["mgna_dvsn"], told["excc_stat_cd"]
                    held = self._views.get(codes)
                    # The account with the most pages, then rows, tells most.
                    if held is None or _tells(view) > _tells(held):
                        self._views[codes] = view
        except (KeyError, TypeError, AttributeError, IndexError) as error:
            raise ValueError("form: the report is damaged") from error
        good = [view for view in self._views.values() if view.pages]
        self._usual = max(good, key=_tells, default=None)
        turned = [view.rows for view in good if len(view.pages) > 1]
        most = max((view.rows for view in good), default=0)
        self.rows = max(turned, default=most if most > 20 else 0) or None

    def view(self, query: Mapping[str, str]) -> _View | None:
        """What is told of the view that is asked for, else of the one that tells most."""
        codes = query.get("MGNA_DVSN", ""), query.get("EXCC_STAT_CD", "")
        return self._views.get(codes, self._usual)


def _tells(view: _View) -> tuple[int, int]:
    return len(view.pages), view.rows


class FormedDesk:
    """A `BalanceDesk` whose answers have a report's form."""

    def __init__(self, desk: BalanceDesk, form: Form) -> None:
        self._desk = desk
        self._form = form

    def page_number(self, headers: dict[str, str], query: dict[str, str]) -> int:
        """As the desk's."""
        return self._desk.page_number(headers, self._asked(query))

    def answer(
        self, headers: dict[str, str], query: dict[str, str], now: float, *bound: Any
    ) -> Reply:
        """The desk's answer in the form; what the desk refuses is as it says."""
        reply = self._desk.answer(headers, self._asked(query), now, *bound)
        view = self._form.view(query)
        if reply.outcome != "ok" or view is None:
            return reply
        if not view.pages:
            return reply if view.refused is None else _refuse(view.refused)
        # The two TRs send different fields of the same figures: together they have most.
        other = NIGHT_BALANCE.tr_ids[headers["tr_id"] == NIGHT_BALANCE.tr_ids[0]]
        more = self._desk.answer(headers | {"tr_id": other}, self._asked(query), now, *bound)
        return _shape(reply, view, json.loads(more.body))

    def _asked(self, query: dict[str, str]) -> dict[str, str]:
        """The query with page keys as the desk gave them out."""
        view = self._form.view(query)
        if view is None or not view.pages or not query.get(_NK.upper(), "").strip():
            return query
        codes = ("CANO", "ACNT_PRDT_CD", "MGNA_DVSN", "EXCC_STAT_CD")
        search = "".join(f"{query.get(name, '')}^" for name in codes)
        told = view.near("first").get("page_keys", {})
        given = query.get(_FK.upper(), "").strip()
        # Compared with what was given out; told apart, a changed one is a changed one.
        right = _key(search, str(told.get(_FK, ""))).strip() == given
        return query | {
            _FK.upper(): search if right else given,
            _NK.upper(): _unkey(query[_NK.upper()].strip(), str(told.get(_NK, ""))),
        }


def _separator(pattern: str) -> str:
    """The sign that parts a key of this pattern; "" when none does."""
    signs = Counter(kind for kind, _ in runs(pattern) if kind in "^!-+.,:/%")
    return signs.most_common(1)[0][0] if signs else ""


def _key(key: str, pattern: str) -> str:
    """The desk's page key as the pattern has it: its separator, its length, its side."""
    parts = runs(pattern)
    if not any(kind not in "_^!-+.,:/%" for kind, _ in parts):
        return expand(pattern)
    sign = _separator(pattern)
    if sign:
        key = key.replace("^", sign)
    elif key.count("^") == 3:
        moment, revision, start, _ = key.split("^")
        key = f"{int(moment):012d}{int(revision):06d}{int(start):06d}"
    else:
        key = key.replace("^", "")
    length = sum(count for _, count in parts)
    return key.rjust(length) if parts[0][0] == "_" else key.ljust(length)


def _next(key: str, pattern: str) -> str:
    """The key for a page that follows; as it is, padded, when only last pages were recorded."""
    if any(kind in "09AaHL?" for kind, _ in runs(pattern)):
        return _key(key, pattern)
    return key.ljust(sum(count for _, count in runs(pattern)))


def _unkey(key: str, pattern: str) -> str:
    sign = _separator(pattern)
    if sign:
        return key.replace(sign, "^")
    if re.fullmatch(r"[0-9]{24}", key, re.ASCII):
        return f"{int(key[:12])}^{int(key[12:18])}^{int(key[18:])}^"
    return key


def _shape(reply: Reply, view: _View, more: Mapping[str, Any]) -> Reply:
    """The desk's page in the form of the page at its place; `more` has the other TR's fields."""
    sent = dict(reply.headers)
    place = _LETTERS[sent["tr_cont"]]
    page = view.near(place)
    body = json.loads(reply.body)
    told = page.get("page_keys", {})
    following = str(body[_NK]).strip()
    summary = view.summary.write({**more.get("output2", {}), **body["output2"]}, 0)
    rows = body["output1"]
    full = [{**before, **row} for before, row in zip(more.get("output1", rows), rows, strict=False)]
    formed: dict[str, Any] = body | {
        _FK: _key(str(body[_FK]).strip(), str(told.get(_FK, ""))),
        _NK: _next(following, str(told.get(_NK, ""))) if following else _last(view, told),
        "output1": [view.rows_block.write(row, at) for at, row in enumerate(full)]
        if view.rows_block.order
        else rows,
        "output2": [summary] if view.summary.listed else summary,
        "msg1": Style.of({str(page.get("msg1", "")): 1}).write(body["msg1"]),
    }
    code = str(page.get("msg_cd", ""))
    if re.fullmatch(r"[A-Z0-9]+", code, re.ASCII) and (
        rows or not page.get("output1", {}).get("rows")
    ):
        formed["msg_cd"] = code
    return replace(
        reply,
        headers=_headers(
            sent, page, view.pages.get(place, view.pages.get(_ENDS.get(place, place)))
        ),
        body=_dump({name: formed[name] for name in page["order"] if name in formed}),
    )


def _last(view: _View, told: Mapping[str, Any]) -> str:
    """The key on the last page: blanks, or what stands there without a figure in it."""
    page = view.pages.get("last", view.pages.get("only"))
    return expand(str((page.get("page_keys", {}) if page else told).get(_NK, "")))


def _headers(
    sent: Mapping[str, str], page: Mapping[str, Any], same: Mapping[str, Any] | None
) -> tuple[tuple[str, str], ...]:
    """The headers that were there, as they were spelt; tr_cont's letter if it was seen here."""
    spelt = {name.lower(): name for name in page.get("headers", ())}
    # The live gateway gives each answer a gt_uid, whether it was sent one or not.
    values = {"gt_uid": secrets.token_hex(16)} | {k.lower(): v for k, v in sent.items()}
    if same is not None and same.get("tr_cont") is not None:
        values["tr_cont"] = expand_letter(str(same["tr_cont"]))
    return tuple((name, values[low]) for low, name in spelt.items() if low in values)


def expand_letter(told: str) -> str:
    """The header tr_cont from what a report says of it: the letter itself, or a pattern."""
    return told if re.fullmatch(r"[A-Z]?", told) else expand(told)


# Bodies that are no JSON object, as a report names them.
_OTHER_BODIES = {
    "empty": b"",
    "HTML": b"<html><body>Service Unavailable</body></html>",
    "no JSON": b"Service Unavailable",
    "JSON, no object": b"[]",
}


def _refuse(page: Mapping[str, Any]) -> Reply:
    """The error that came in a view's place."""
    code = str(page.get("msg_cd", ""))
    words = ERRORS[code][2] if code in ERRORS else "조회할 수 없습니다"
    said = {
        "rt_cd": str(page.get("rt_cd", "")),
        "msg_cd": code,
        "error_code": code,
        "msg1": Style.of({str(page.get("msg1", "")): 1}).write(words),
        "error_description": words,
    }
    body = {name: said[name] for name in page.get("order", ()) if name in said}
    kind = str(page.get("body", "JSON"))
    if kind == "no strict JSON":
        loose = f'{{rt_cd:"1",msg_cd:"{code}",msg1:"{words}"}}' if code else '{"rt_cd":'
        content = loose.encode()
    else:
        content = _OTHER_BODIES[kind] if kind in _OTHER_BODIES else dump(body)
    media = "text/html" if kind == "HTML" else "application/json"
    sent = {"Content-Type": f"{media}; charset=utf-8", "tr_cont": ""}
    status = int(page.get("status", 500))
    return Reply(status, _headers(sent, page, page), content, code or str(status))


def _dump(body: Any) -> bytes:
    return re.sub(rb'"\\u0000([-+.0-9]+)"', rb"\1", dump(body))
