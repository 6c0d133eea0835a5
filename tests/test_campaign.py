"""The fault campaign in short, and that it can fail. `make campaign` runs the whole of it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from kis_nb._errors import TransportError
from kis_nb._frames.decode import Decoder
from kis_nb._wire import http
from kis_nb._wire.page_json import PageBody
from tests import campaign, faulty_pulls
from tests.fuzz import __main__ as fuzzers
from tests.marked_tables import between, write
from tests.tls_proxy import CONNECTION_FAULTS

if TYPE_CHECKING:
    from collections.abc import Iterator

TOP = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def pulls() -> Iterator[faulty_pulls.FaultyPulls]:
    with faulty_pulls.faulty_pulls() as made:
        yield made


def test_every_fault_alone_ends_as_its_table_says(pulls: faulty_pulls.FaultyPulls) -> None:
    """At every page and at the token call, once and permanently."""
    tally = campaign.single_faults(pulls)
    assert tally.wrong == []
    assert tally.tried == tally.recovered + tally.typed
    assert tally.recovered > 100
    assert tally.typed > 100


def test_every_connection_fault_ends_as_it_must(pulls: faulty_pulls.FaultyPulls) -> None:
    """Recovered when transient, typed when permanent, and an untrusted certificate is the end."""
    tally = campaign.connection_faults(pulls)
    assert tally.wrong == []
    # Six kinds are transient, directly (without the proxy's three) and through it, at four places.
    assert tally.recovered == (3 + 6) * 4
    assert tally.typed == tally.recovered + 2 * 2 * 3 * 4


@pytest.mark.parametrize(("connection", "most"), [(False, 50), (True, 40)])
def test_a_pull_recovers_from_two_transient_faults(
    pulls: faulty_pulls.FaultyPulls, *, connection: bool, most: int
) -> None:
    """A sample of the pairs."""
    tally = campaign.pairs(pulls, connection=connection, most=most)
    assert tally.wrong == []
    assert tally.recovered + tally.typed == most


def test_random_faults_end_with_nothing_wrong(pulls: faulty_pulls.FaultyPulls) -> None:
    """Several random faults to a pull."""
    tally = campaign.random_faults(pulls, 200, seed=3)
    assert tally.wrong == []
    assert tally.faults.total() > 200


def test_a_client_that_loses_a_page_is_caught(
    pulls: faulty_pulls.FaultyPulls, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A campaign that could not fail would prove nothing."""
    add = Decoder.add

    def forgetful(self: Decoder, body: PageBody) -> None:
        if self.pages == 1 and not hasattr(self, "lost"):
            self.lost = body  # type: ignore[attr-defined]
        else:
            add(self, body)

    monkeypatch.setattr(Decoder, "add", forgetful)
    tally = campaign.random_faults(pulls, 10, seed=1)
    assert any("25 rows read, 45 expected" in wrong for wrong in tally.wrong)


@pytest.mark.parametrize(("times", "said"), [(1, "went on after"), (None, "bytes were sent")])
def test_a_client_that_trusts_any_certificate_is_caught(
    monkeypatch: pytest.MonkeyPatch, times: int | None, said: str
) -> None:
    """Whether it then gets on, or is stopped by the end of the connection."""

    def trusting(*arguments: Any, **settings: Any) -> http.Http:
        made = http.Http(*arguments, **settings)
        made._session.verify = False
        return made

    monkeypatch.setattr("kis_nb._pull.Http", trusting)
    tally = faulty_pulls.Tally()
    with faulty_pulls.faulty_pulls() as pulls:
        pulls.script(CONNECTION_FAULTS["unknown authority"], 1, times)
        with pytest.warns(match="Unverified HTTPS"):
            pulls.pull(tally, "untrusted", {None, TransportError})
    assert said in tally.wrong[0]


def test_a_client_that_asks_again_over_a_certificate_is_caught(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Even if it sends nothing to it."""
    again = http.NoReply("untrusted", again=True)
    monkeypatch.setattr(http.Http, "_explain", lambda *_: again)
    tally = faulty_pulls.Tally()
    with faulty_pulls.faulty_pulls() as pulls:
        pulls.script(CONNECTION_FAULTS["expired certificate"], 2)
        pulls.pull(tally, "untrusted", {None, TransportError})
    assert "went on after" in tally.wrong[0]


def test_a_pull_that_takes_for_ever_is_caught(
    pulls: faulty_pulls.FaultyPulls, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For real: waits on the client's clock cost nothing here and are counted apart."""
    monkeypatch.setattr(faulty_pulls, "GRACE", -10.0)
    tally = campaign.random_faults(pulls, 1, seed=1)
    assert "s for real" in tally.wrong[0]


@pytest.mark.parametrize("name", ["guide.md", "guide.ko.md"])
def test_the_table_in_the_guide_is_of_a_whole_campaign(name: str) -> None:
    """Written by `make campaign`: 5,000 random pulls at least, nothing wrong."""
    text = (TOP / "docs" / name).read_text(encoding="utf-8")
    _, table, _ = between(text, "campaign")
    rows = re.findall(
        r"^\| (.+?) \| ([\d,]+) \| ([\d,]+) \| ([\d,]+) \| (\d+) \|", table, re.MULTILINE
    )
    assert len(rows) == 5
    for title, *figures, wrong in rows:
        tried, recovered, typed = (int(figure.replace(",", "")) for figure in figures)
        assert wrong == "0", title
        assert tried == recovered + typed
    assert int(rows[-1][1].replace(",", "")) >= 5000


@pytest.mark.parametrize("name", ["guide.md", "guide.ko.md"])
def test_the_fuzzers_counts_in_the_guide_are_of_a_whole_campaign(name: str) -> None:
    """Written by `make campaign`: every target, 20,000 inputs each at least, nothing wrong."""
    _, table, _ = between((TOP / "docs" / name).read_text(encoding="utf-8"), "fuzz")
    rows = re.findall(r"^\| (.+?) \| ([\d,]+) \| (.+?) \| (\d+) \|$", table, re.MULTILINE)
    assert [title for title, *_ in rows] == list(fuzzers.LONGEST)
    for title, inputs, came, wrong in rows:
        assert wrong == "0", title
        counts = [int(n.replace(",", "")) for n in re.findall(r"\d[\d,]*(?= [A-Za-z])", came)]
        assert sum(counts) == int(inputs.replace(",", "")) >= 20_000, title


def test_a_table_is_written_between_its_marks(tmp_path: Path) -> None:
    """What stands around it, and the other table, stay."""
    path = tmp_path / "guide.md"
    path.write_text("a\n<!-- x -->\nold\n<!-- /x -->\nb\n<!-- y -->\nc\n<!-- /y -->\n", "utf-8")
    write(path, "x", ["new", "er"])
    assert path.read_text("utf-8") == (
        "a\n<!-- x -->\nnew\ner\n<!-- /x -->\nb\n<!-- y -->\nc\n<!-- /y -->\n"
    )
