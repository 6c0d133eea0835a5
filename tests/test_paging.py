"""The one loop over cursors, against a gateway that is a list of pages."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from kis_nb._errors import Cancelled, PaginationError, TransportError
from kis_nb._schema.night_balance import NIGHT_BALANCE
from kis_nb._wire.gateway import DataChanged, Page
from kis_nb._wire.page_json import PageBody
from kis_nb._wire.paging import Walk
from kis_nb._wire.secrets import Secret

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kis_nb._schema.endpoint import Endpoint
    from kis_nb._wire.auth import OnWait
    from tests.conftest import Fast

_MORE = {"F": True, "M": True, "D": False, "E": False}


class Script:
    """Answers each call with the next of its pages or errors."""

    def __init__(self, answers: Iterable[Page | Exception]) -> None:
        self._answers = iter(answers)
        self.asked: list[tuple[bool, dict[str, str]]] = []

    def page(
        self,
        endpoint: Endpoint,
        params: Mapping[str, str],
        *,
        follow_up: bool,
        cancel: threading.Event | None = None,
        on_wait: OnWait | None = None,
    ) -> Page:
        if on_wait is not None:
            on_wait("for a token", 61.0)
        assert endpoint is NIGHT_BALANCE
        assert cancel is None or not cancel.is_set()
        self.asked.append((follow_up, dict(params)))
        answer = next(self._answers)
        if isinstance(answer, Exception):
            raise answer
        return answer


def page(tr_cont: str, key: str = "", condition: str = "c^") -> Page:
    keys = Secret(condition.ljust(200)), Secret(key.ljust(200))
    return Page(PageBody(b"{}"), _MORE.get(tr_cont), tr_cont, keys)


def walk(fast: Fast, *answers: Page | Exception, **run: Any) -> tuple[Walk, Script]:
    script = Script(answers)
    made = Walk(script, NIGHT_BALANCE, {"CANO": "80012345"}, fast)
    made.run(**run)
    return made, script


def test_one_page_is_one_call(fast: Fast) -> None:
    """D ends the walk; the first call carries no key."""
    made, script = walk(fast, page("D"))
    assert len(made.bodies) == 1
    assert script.asked == [(False, {"CANO": "80012345"})]


def test_the_keys_are_sent_back_as_they_came(fast: Fast) -> None:
    """Both cursors, padded, with the follow-up mark, to the end."""
    made, script = walk(fast, page("F", "k1"), page("M", "k2"), page("E"))
    assert len(made.bodies) == 3
    assert [follow for follow, _ in script.asked] == [False, True, True]
    assert script.asked[1][1]["CTX_AREA_FK200"] == "c^".ljust(200)
    assert script.asked[1][1]["CTX_AREA_NK200"] == "k1".ljust(200)
    assert script.asked[2][1]["CTX_AREA_NK200"] == "k2".ljust(200)


def test_a_key_on_the_last_page_is_not_followed(fast: Fast) -> None:
    """tr_cont decides."""
    made, _ = walk(fast, page("F", "k1"), page("E", "left over"))
    assert len(made.bodies) == 2


def test_no_tr_cont_and_no_key_is_the_end(fast: Fast) -> None:
    """Nothing promises more."""
    made, _ = walk(fast, page(""))
    assert len(made.bodies) == 1


@pytest.mark.parametrize(
    ("answers", "read", "said"),
    [
        ([page("M")], 1, "key for it is blank"),
        ([page("M", " !^ !^ !^")], 1, "key for it is blank"),
        ([page("F", "k1"), page("M")], 2, "key for it is blank"),
        ([page("F", "k1"), page("M", "k1")], 2, "given before"),
        ([page("F", "k1"), page("M", "k2"), page("M", "k1")], 3, "given before"),
        ([page("", "k1")], 1, "tr_cont is missing"),
        ([page("F", "k1"), page("", "k2")], 2, "tr_cont is missing"),
        ([page("X")], 1, "tr_cont says 'X'"),
        ([page("F", str(n)) for n in range(1001)], 1000, "more than 1000 pages"),
    ],
)
def test_cursors_that_lead_nowhere_are_an_error(
    fast: Fast, answers: list[Page | Exception], read: int, said: str
) -> None:
    """Never a short frame, never a doubled page, never without end."""
    script = Script(answers)
    made = Walk(script, NIGHT_BALANCE, {}, fast)
    with pytest.raises(PaginationError, match=said) as caught:
        made.run()
    assert caught.value.pages == read == len(script.asked)


@pytest.mark.parametrize("key", ["", "^ ^", " !^ !^ !^", "^".ljust(200, "!")])
def test_f_with_a_blank_key_ends_in_doubt(fast: Fast, key: str) -> None:
    """Seen on last pages; separators with nothing between are a blank key. Totals decide."""
    made, script = walk(fast, page("F", "k1"), page("F", key))
    assert made.doubtful
    assert len(made.bodies) == len(script.asked) == 2


@pytest.mark.parametrize("tr_cont", ["", "D", "E"])
def test_separators_are_no_key_at_the_end_either(fast: Fast, tr_cont: str) -> None:
    """Without the header they end the walk as a blank key does; nothing is doubtful then."""
    made, _ = walk(fast, page(tr_cont, " !^ !^ !^"))
    assert len(made.bodies) == 1
    assert not made.doubtful


def test_a_walk_begun_again_leaves_the_doubt_behind(fast: Fast) -> None:
    """Only the last walk's end counts."""
    made, _ = walk(fast, page("F", "k"), DataChanged(), page("F", "k"), page("E"))
    assert not made.doubtful


def test_exactly_a_thousand_pages_are_fine(fast: Fast) -> None:
    """The limit is on more."""
    made, _ = walk(fast, *(page("M", str(n)) for n in range(999)), page("E"))
    assert len(made.bodies) == 1000


def test_changed_data_starts_over(fast: Fast) -> None:
    """The pages read so far are thrown away, three times at most."""
    made, script = walk(
        fast,
        page("F", "k1"),
        DataChanged(),
        DataChanged(),
        DataChanged(),
        page("F", "k"),
        page("E"),
    )
    assert len(made.bodies) == 2
    assert [follow for follow, _ in script.asked] == [False, True, False, False, False, True]


def test_data_that_keeps_changing_is_an_error(fast: Fast) -> None:
    """The fourth time is the last."""
    with pytest.raises(PaginationError, match="changed between pages"):
        walk(fast, *(DataChanged() for _ in range(4)))


def test_an_error_says_how_many_pages_were_read(fast: Fast) -> None:
    """What a later page raises goes up as it is."""
    with pytest.raises(TransportError) as caught:
        walk(fast, page("F", "k1"), page("M", "k2"), TransportError("gone"))
    assert caught.value.pages == 2


def test_progress_counts_the_pages_read(fast: Fast) -> None:
    """After each page, and from 1 again after a restart."""
    seen: list[int] = []
    walk(fast, page("F", "a"), DataChanged(), page("F", "b"), page("E"), progress=seen.append)
    assert seen == [1, 1, 2]


def test_progress_that_can_be_told_of_a_wait_is(fast: Fast) -> None:
    """By its method `waiting`, when it has one."""
    told: list[object] = []

    class Progress:
        def __call__(self, pages: int) -> None:
            told.append(pages)

        def waiting(self, why: str, seconds: float) -> None:
            told.append((why, seconds))

    walk(fast, page("E"), progress=Progress())
    assert told == [("for a token", 61.0), 1]


def test_a_cancelled_walk_does_not_start_over(fast: Fast) -> None:
    """The event ends the wait before the next walk."""
    cancel = threading.Event()

    class Changing(Script):
        def page(self, *_: Any, **__: Any) -> Page:
            cancel.set()
            raise DataChanged

    with pytest.raises(Cancelled):
        Walk(Changing([]), NIGHT_BALANCE, {}, fast).run(cancel=cancel)
