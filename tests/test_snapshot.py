"""The dashboard's head as saved notebooks show it."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from html import unescape
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import comm
import pytest

import kis_nb
from kis_nb._dashboard import snapshot
from kis_nb._dashboard.snapshot import Snapshot
from kis_nb._widgets import front_end
from kis_nb._widgets.saved_output import SavedOutput
from kis_nb.demo import Book
from tests.factories import book, make_balance, position
from tests.faults import Broker, Fault

WIDGET = {"application/vnd.jupyter.widget-view+json": {"model_id": "m"}, "text/plain": "<x>"}


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> SimpleNamespace:
    """A shell whose front end is a page, or none with `attend(answered=False)`; `saved` is what was
    put out, in order.
    """
    made = SimpleNamespace(kernel=object(), parent_header={}, saved=[])
    made.attend = lambda *, answered: setattr(
        made, "parent_header", {"content": {"allow_stdin": answered}}
    )
    monkeypatch.delenv("SERVER_SOFTWARE", raising=False)
    monkeypatch.setenv("KIS_NB_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(front_end, "shell", lambda: made)
    monkeypatch.setattr(
        SavedOutput, "_send", lambda self, *, update: made.saved.append((update, self._wrapped()))
    )
    return made


@contextmanager
def pulled() -> Iterator[tuple[Broker, kis_nb.Client]]:
    """A broker with an account of five positions, and its customer."""
    with Broker(book=Book.sized({"80012345-03": 5})) as broker:
        ((account, app_key, app_secret),) = broker.keys
        keys = [{"account": account, "app_key": app_key, "app_secret": app_secret}]
        with kis_nb.connect(keys=keys, base_url=broker.address) as client:
            yield broker, client


def html_of(made: Any) -> str:
    """The HTML that a notebook without a page gets."""
    return str(made._repr_mimebundle_()["text/html"])


def words(html: str) -> str:
    """What is read of it."""
    return " ".join(unescape(re.sub("<[^>]*>", " ", html)).split())


def test_it_says_what_the_page_says(shell: SimpleNamespace) -> None:
    """Status line, cards and the first positions, exact, masked, in both languages; and that it
    was saved.
    """
    shell.attend(answered=False)
    amount = Decimal(1234567890123456789)
    balance = make_balance(
        [position(prdt_name="<b>F</b> 202612", evlu_pfls_amt=-amount), *book(14)],
        evlu_pfls_amt_smtl=amount,
        trad_pfls_amt_smtl=Decimal(1),
        add_mgna_tota=Decimal(7),
    )
    ko, en = (words(html_of(kis_nb.show(balance, lang=lang))) for lang in ("ko", "en"))
    for text in (ko, en):
        assert "800*****-03 · MGNA_DVSN=01 · EXCC_STAT_CD=1 · 15 rows" in text
        assert "as of 2026-11-22 23:15:04 KST" in text
        assert "▲ +1,234,567,890,123,456,790" in text
        assert "▼ -1,234,567,890,123,456,789" in text
        assert "<b>F</b> 202612" in text
        assert "80012345" not in text
    assert "이 셀을 실행하면 실시간 화면이 나옵니다" in ko
    assert "외 5종목" in ko
    assert "추가증거금 7원이 발생했습니다" in ko
    assert "Run the cell for the live one" in en
    assert "and 5 more positions" in en


def test_an_empty_account_says_so(shell: SimpleNamespace) -> None:
    """Nothing is held, and no figure was sent."""
    shell.attend(answered=False)
    text = words(html_of(kis_nb.show(make_balance([]), lang="en")))
    assert "No open positions" in text
    assert "–" in text


def test_without_a_page_the_first_pull_is_waited_for(shell: SimpleNamespace) -> None:
    """The cell has the figures, the maintenance margin among them, and opens no widget."""
    shell.attend(answered=False)
    before = comm.create_comm
    with pulled() as (_, client):
        made = kis_nb.dashboard(client)
        assert isinstance(made.comm, comm.DummyComm)
        bundle = made._repr_mimebundle_()
        text = words(bundle["text/html"])
        made.close()
    assert comm.create_comm is before
    assert "5 rows" in text
    assert "여유증거금 –" not in text
    assert bundle["text/plain"] == "<KisDashboard>"


def test_without_a_page_an_error_is_in_the_output(shell: SimpleNamespace) -> None:
    """What went wrong and what to do, in the place of the figures."""
    shell.attend(answered=False)
    with pulled() as (broker, client):
        body = {"rt_cd": "7", "msg_cd": "KIOK0560", "msg1": "조회할 내용이 없습니다"}
        broker.fault(Fault(status=200, body=body, times=None))
        made = kis_nb.dashboard(client, lang="en")
        text = words(html_of(made))
        made.close()
    assert "KIOK0560" in text
    assert "No balance has been pulled yet" in text


def test_on_a_page_it_follows_with_a_pause(
    shell: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Published empty before the widget, then replaced; many changes at once are one replacement,
    the last one is never lost, and an unchanged head is not sent again.
    """
    monkeypatch.setattr(snapshot, "_EVERY", 0.05)
    shell.attend(answered=True)
    head = SimpleNamespace(html="one", asked=0)

    class Page:
        def html(self, *, settled: bool = False) -> str | None:
            assert not settled
            head.asked += 1
            return None if head.html == "busy" else str(head.html)

    page = Page()
    made = Snapshot(page.html)
    made.changed()
    assert shell.saved == []
    bundle = made.bundle(dict(WIDGET))
    assert bundle == WIDGET | {"text/html": ""}
    assert [update for update, _ in shell.saved] == [False]

    def settle() -> list[str]:
        made.changed()
        assert made._timer is not None
        made._timer.join(20)
        return [html for update, html in shell.saved if update]

    assert len(settle()) == 1
    assert len(settle()) == 1
    for head.html in ("busy", "two", "three"):
        made.changed()
    assert len(settle()) in (2, 3)
    assert ">three</div>" in shell.saved[-1][1]
    head.html = "busy"
    count = len(settle())
    del page
    settled = threading.Thread(target=made._renew)
    settled.start()
    settled.join()
    assert len(shell.saved) == count + 1


def test_voila_saves_nothing(shell: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    """It runs the notebook as papermill does, and shows the widget."""
    shell.attend(answered=False)
    monkeypatch.setenv("SERVER_SOFTWARE", "voila/0.5.8")
    with pulled() as (_, client):
        made = kis_nb.dashboard(client)
        assert next(iter(WIDGET)) in made._repr_mimebundle_()
        made.close()
    assert shell.saved == []


def test_head_and_positions_are_of_one_balance(shell: SimpleNamespace) -> None:
    """While the head is of a newer balance than the table nothing is saved."""
    shell.attend(answered=False)
    made = kis_nb.show(make_balance(book(3)))
    assert made._saved_html() is not None
    made._page.positions_of = make_balance(book(2))
    assert made._saved_html() is None
    made.close()


def test_a_pull_that_does_not_end_is_said(
    shell: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the longest wait the output has what there is, or says that there is nothing."""
    monkeypatch.setattr(snapshot, "_LONGEST_WAIT", 0.1)
    shell.attend(answered=False)

    class Page:
        now: str | None = None

        def html(self, *, settled: bool = False) -> str | None:
            return None if settled else self.now

    page = Page()
    made = Snapshot(page.html)
    assert "The pull had not ended" in str(made.bundle(dict(WIDGET)))
    page.now = "the head"
    assert made.bundle(dict(WIDGET))["text/html"] == "the head"  # type: ignore[call-overload]


def test_two_threads_without_a_page_leave_comms_as_they_were(shell: SimpleNamespace) -> None:
    """Dashboards made at once on two threads: later widgets of the notebook open comms again."""
    shell.attend(answered=False)
    before, inside = comm.create_comm, threading.Event()
    go, last = threading.Event(), threading.Event()

    def first() -> None:
        with front_end.page_or_no_comms():
            inside.set()
            go.wait(20)

    def second() -> None:
        with front_end.page_or_no_comms():
            last.wait(20)

    threads = [threading.Thread(target=first), threading.Thread(target=second)]
    threads[0].start()
    assert inside.wait(20)
    threads[1].start()
    threads[1].join(0.1)  # so that it would be inside too, if nothing held it back
    go.set()
    threads[0].join()
    last.set()
    threads[1].join()
    assert comm.create_comm is before
