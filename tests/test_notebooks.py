"""Every notebook in notebooks/ is a clean template, runs, lets no secret out when saved, and shows
all that it showed when it is exported.
"""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import nbformat
import pytest

import kis_nb
from kis_nb._errors import TransportError
from kis_nb._frames.balance import Balance
from kis_nb._frames.balances import Balances
from kis_nb._frames.failure import Failure
from tests import exports
from tests.browser.lab import chromium
from tests.factories import book, make_balance
from tests.leaks import noted, watch_kernels

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))
SHIPPED = {
    "quickstart",
    "dashboard",
    "four_views",
    "history",
    "margin_monitor",
    "night_report",
    "research",
    "risk",
}

# Any account number in full, whoever's it is: 8 digits, a hyphen, 2 digits.
ACCOUNT = re.compile(r"(?<![0-9])[0-9]{8}-[0-9]{2}(?![0-9])")

every_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def read(path: Path) -> Any:
    """The notebook as nbformat sees it, checked against its schema."""
    book = nbformat.read(path, as_version=4)
    nbformat.validate(book)
    return book


def test_templates_are_there() -> None:
    """The glob found the notebooks, so that the tests below are not about nothing."""
    assert {path.stem for path in NOTEBOOKS} == SHIPPED


@every_notebook
def test_has_parameters(path: Path) -> None:
    """One code cell is tagged for papermill, and it starts on the embedded broker."""
    tagged = [c for c in read(path).cells if "parameters" in c.metadata.get("tags", [])]
    assert [cell.cell_type for cell in tagged] == ["code"]
    values: dict[str, Any] = {}
    exec(tagged[0].source, values)  # noqa: S102 - our own template: what it sets is the test
    assert values["demo"] is True


@every_notebook
def test_names_its_kernel(path: Path) -> None:
    """The kernel is the one that every Jupyter has."""
    assert read(path).metadata.kernelspec.name == "python3"


@every_notebook
def test_stores_nothing(path: Path) -> None:
    """No output, no execution count and no widget state was committed with it."""
    book = read(path)
    assert "widgets" not in book.metadata
    for cell in book.cells:
        if cell.cell_type == "code":
            assert cell.outputs == []
            assert cell.execution_count is None


@every_notebook
def test_runs_and_leaks_nothing(path: Path, tmp_path: Path) -> None:
    """Executed from top to bottom on the embedded broker: no error, and neither key, secret, token
    nor account number in what is saved and printed, however it is spelt; and exported it shows all.
    """
    watch_kernels(tmp_path / "ipython")
    saved = tmp_path / path.name
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("KIS_", "JUPYTER"))}
    run = subprocess.run(
        [sys.executable, "-m", "papermill", path, saved, "-p", "demo", "True", "-k", "python3"],
        env=environment
        | {
            "HOME": str(tmp_path),
            "IPYTHONDIR": str(tmp_path / "ipython"),
            "KIS_NB_CACHE_DIR": str(tmp_path / "cache"),
        },
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr

    for cell in read(saved).cells:
        if cell.cell_type == "code":
            assert cell.execution_count is not None
            assert not [o for o in cell.outputs if o.output_type == "error"]
            # A warning in a template would be the first thing that a newcomer reads.
            assert not [o for o in cell.outputs if o.get("name") == "stderr"]

    text = saved.read_text(encoding="utf-8")
    # Nobody looks at it: no widget was made, whose export would load scripts.
    assert "jupyter.widget" not in text
    search = noted(tmp_path)
    for found, where in ((text, "the notebook"), (run.stdout, "stdout"), (run.stderr, "stderr")):
        search.look(found, where)
    assert not ACCOUNT.search(text)
    check_exports(saved)


def check_exports(saved: Path) -> None:
    """Exported by plain nbconvert, every chart shows as an image with figures, the dashboard's head
    as text, and nothing is wider than 1,100 pixels. Nothing is asked for but the two scripts that
    nbconvert's own template loads for every notebook, and nothing at all with ours.
    """
    charts = exports.outputs(saved, exports.CHART)
    dashboards = exports.outputs(saved, exports.DASHBOARD)
    assert charts or dashboards
    with chromium() as browser:
        stock = exports.show(browser, exports.exported(exports.empty(saved.parent))).requests
        assert len(stock) == 2
        for template, requests in (("lab", stock), ("kis_nb", [])):
            shown = exports.show(browser, exports.exported(saved, template))
            assert shown.requests == requests
            assert len(shown.images) == len(charts)
            assert all(re.search("[0-9]{1,3},[0-9]{3}", said) for said in shown.images)
            for output in charts:
                title = output["data"]["text/plain"].removeprefix(exports.CHART).rstrip(">")
                assert any(said.startswith(title) for said in shown.images)
            if dashboards:
                assert "64 rows · 4 pages · as of" in shown.text
                assert "이 셀을 실행하면 실시간 화면이 나옵니다" in shown.text
            assert (shown.clipped, shown.wide) == ([], False)


@every_notebook
def test_is_short_and_leaves_formats_to_the_package(path: Path) -> None:
    """What a reader copies: no decimal context, no format of figures set for the whole session, no
    code spelled out from papermill's int, and no cell of more than 30 lines.
    """
    for cell in read(path).cells:
        if cell.cell_type == "code":
            found = re.search(r"getcontext|setcontext|localcontext|pl\.Config|\bint\(", cell.source)
            assert found is None, cell.source
            assert len(cell.source.splitlines()) <= 30, cell.source


def results(name: str, values: dict[str, Any]) -> list[Any]:
    """What each code cell of a template shows, with these values in place of its parameters."""
    (path,) = (each for each in NOTEBOOKS if each.stem == name)
    shown: list[Any] = []
    names: dict[str, Any] = {"display": shown.append}  # as IPython has it
    for cell in read(path).cells:
        if cell.cell_type != "code":
            continue
        body = ast.parse(cell.source).body
        last = ast.Expression(body.pop().value) if isinstance(body[-1], ast.Expr) else None
        exec(compile(ast.Module(body, []), name, "exec"), names)  # noqa: S102 - our own template
        if "parameters" in cell.metadata.get("tags", []):
            names |= values
        elif last is not None:
            shown.append(eval(compile(last, name, "eval"), names))  # noqa: S307 - the same
    return shown


def _pulled(*accounts: Balance, failed: int = 0) -> Balances:
    """Both views of each account, and failures of the first ones."""
    views = [
        replace(one, mgna_dvsn=margin, demo=True) for one in accounts for margin in kis_nb.Margin
    ]
    failures = [
        Failure(one.account, one.mgna_dvsn, one.excc_stat_cd, TransportError("no answer"))
        for one in views[:failed]
    ]
    return Balances(views[failed:], failures)


FIRST, SECOND = make_balance(book(12)), make_balance([], account="70012345-03")


@pytest.mark.parametrize("name", ["night_report", "margin_monitor"])
@pytest.mark.parametrize(
    "balances",
    [
        _pulled(FIRST),
        _pulled(SECOND),
        _pulled(FIRST, SECOND),
        _pulled(FIRST, SECOND, failed=1),
        _pulled(FIRST, SECOND, failed=2),
        _pulled(FIRST, failed=2),
    ],
    ids=["one", "no positions", "two", "a view failed", "an account failed", "all failed"],
)
def test_the_report_works_with_what_there_is(
    name: str, balances: Balances, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One account or several, with positions or without, and with pulls that failed: every cell
    shows something, and the first one names each failure.
    """
    client = SimpleNamespace(balances=lambda *_, **__: balances, demo=True)
    monkeypatch.setattr(kis_nb, "connect", lambda **_: client)
    head, *rest = results(name, {"lang": "en"})
    assert str(head).count("Not pulled: ") == str(head).count("no answer") == len(balances.failures)
    for one in filter(None, rest):
        assert hasattr(one, "_repr_html_") or one._repr_mimebundle_()
    assert len(rest) >= 5


def test_an_equity_below_0_raises_the_monitors_alarm(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a maintenance margin there is no percentage, and still an alarm."""
    short = make_balance([], account="70012345-03", prsm_dpast=-5, prsm_dpast_amt=-5)
    balances = _pulled(make_balance(prsm_dpast=900, prsm_dpast_amt=900, mgna_tota=400), short)
    client = SimpleNamespace(balances=lambda *_, **__: balances, demo=True)
    monkeypatch.setattr(kis_nb, "connect", lambda **_: client)
    _head, _equity, alarm, *_rest = results("margin_monitor", {"lang": "en"})
    assert alarm.frame["account"].to_list() == ["700*****-03"]


@pytest.mark.parametrize("underlying", [None, "KOSDAQ 150"])
def test_the_risk_template_is_of_the_underlying_that_is_chosen(underlying: str | None) -> None:
    """The answers, the scenarios and the tables by underlying; all in the tables without one."""
    made: list[Any] = []

    def keep(balance: Balance, **more: Any) -> Any:
        made.append(estimate(balance, **more))
        return made[-1]

    estimate = kis_nb.risk
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kis_nb, "risk", keep)
        patch.setattr("builtins.print", lambda *said, **_: printed.extend(said))
        printed: list[Any] = []
        values = {"lang": "en", "underlying": underlying, "account": "80012345-03"}
        shown = results("risk", values)
    (risk,) = made
    assert printed[1:4] == list(risk.answers("en", underlying=underlying))
    totals, positions = (risk.totals, risk.positions)
    if underlying is not None:
        totals, positions = (one.filter(underlying=underlying) for one in (totals, positions))
        assert 0 < positions.height < risk.positions.height
    frames = [one.frame for one in shown if isinstance(one, kis_nb.Table)]
    assert [frame.equals(totals) for frame in frames].count(True) == 1
    names = positions["prdt_name"].to_list()
    assert [frame["prdt_name"].to_list() == names for frame in frames[-3:-1]] == [True] * 2
    (scenarios,) = (frame for frame in frames if "vol" in frame.columns)
    assert scenarios["level"][0] == pytest.approx(0.97 * risk.level(underlying))


def test_the_report_says_what_matters_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """On the first page: the sentences, then the excess margin of every account, then charts of
    margin and P&L, the five positions, and the checks that differ.
    """
    balances = _pulled(FIRST, SECOND)
    client = SimpleNamespace(balances=lambda *_, **__: balances, demo=True)
    monkeypatch.setattr(kis_nb, "connect", lambda **_: client)
    head, equity, margin, pnl, five, checks, *_details = results("night_report", {"lang": "en"})
    assert str(head).startswith("2 accounts · ")
    assert equity.frame.columns[:2] == ["account", "excess_margin_now"]
    assert equity.frame.height == 2
    assert [margin.title.text, pnl.title.text] == ["Deposit and margin", "P&L by product"]
    assert five.frame.height == 5
    assert five.frame.equals(balances.pnl("position").head(5).select(five.frame.columns))
    differing = balances.reconcile().filter(status="differs")
    assert checks.frame.height == differing.height > 0
