"""`kis-nb report`: notebooks run in kernels, and the HTML, PDF and notebooks that come of it."""

from __future__ import annotations

import base64
import importlib.util
import json
import os
import re
import select
import shutil
import socket
import subprocess
import sys
import threading
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bs4
import nbformat
import pytest

from kis_nb import _failure_log
from kis_nb._account import Account
from kis_nb._cli import main
from kis_nb._cli.arguments import UsageProblem
from kis_nb._cli.report import pdf
from kis_nb._cli.report import run as run_module
from kis_nb._cli.report.clean import clean_html
from kis_nb._cli.report.parameters import parameters
from kis_nb._cli.report.source import COMPUTED, find_source
from kis_nb._codes import Basis, Margin
from kis_nb._connect import connect
from kis_nb._errors import ApiError, Cancelled
from tests.browser.lab import chromium
from tests.factories import environment
from tests.faults import WIRE
from tests.leaks import Search

if TYPE_CHECKING:
    from collections.abc import Callable

    from kis_nb._client import Client
    from tests.faults import Broker

TOP = Path(__file__).parents[1]
LIMIT = 120  # reached by a hang only
COMMAND = (sys.executable, "-c", "import sys; from kis_nb._cli.main import main; sys.exit(main())")
ACCOUNT = "80012345-03"
LABEL = "800*****-03"
PARAMETERS = "demo = False\naccount = None"
pytestmark = pytest.mark.usefixtures("own_environment")


def notebook(path: Path, *cells: str, given: str = "") -> Path:
    """A notebook file; a cell that begins with ``#`` is Markdown, and `given` its parameters."""
    new = nbformat.v4
    made = [new.new_markdown_cell(c) if c[0] == "#" else new.new_code_cell(c) for c in cells]
    if given:
        made.insert(0, new.new_code_cell(given, metadata={"tags": ["parameters"]}))
    book = new.new_notebook(cells=made)
    nbformat.write(book, path)
    return path


class Ran:
    """What one command did."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err
        # What it said beside its progress.
        lines = err.splitlines(keepends=True)
        self.said = "".join(line for line in lines if not line.startswith("kis-nb: cell "))


@pytest.fixture
def report(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Ran]:
    """Runs the command in this process, and its kernel on this checkout."""
    monkeypatch.setenv("PYTHONPATH", str(TOP))

    def run(*words: str | Path) -> Ran:
        code = main.main(["report", *map(str, words)])
        return Ran(code, *capfd.readouterr())

    return run


@pytest.fixture
def own(guarded: Broker, monkeypatch: pytest.MonkeyPatch) -> Broker:
    """A broker with one account of 45 rows, named in the environment as a customer names KIS."""
    for name, value in environment(guarded).items():
        monkeypatch.setenv(name, value)
    return guarded


class Addresses(HTMLParser):
    """Every address that a browser would load for a page."""

    LOADING = frozenset({"src", "srcset", "data", "poster", "background", "action"})

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = re.findall(r"url\(([^)]*)\)|@import", page)
        self.scripts = 0
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.scripts += tag == "script"
        self.found += [value or "" for name, value in attrs if name in self.LOADING]
        self.found += [value or "" for name, value in attrs if tag == "link" and name == "href"]


def text_of(page: str) -> str:
    """A page's text, without tags, on one line."""
    body = page.partition("<body>")[2]
    return " ".join(re.sub(r"<[^>]*>", " ", body).split())


# --- what is written -----------------------------------------------------------------------------


def test_a_template_becomes_a_page(tmp_path: Path) -> None:
    """The installed command on a packaged template: a page for its owner alone, which loads
    nothing, holds no code and no whole account, and says that the figures are invented.
    """
    done = subprocess.run(
        [*COMMAND, "report", "quickstart", ACCOUNT, "--demo", "--output", "night.html"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(TOP)},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=LIMIT,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "night.html\n"
    count = sum(1 for cell in find_source("quickstart").notebook.cells if cell.cell_type == "code")
    expected = [f"kis-nb: cell {n} of {count + 1}" for n in range(1, count + 2)]
    assert done.stderr.splitlines() == expected
    file = tmp_path / "night.html"
    assert file.stat().st_mode & 0o777 == 0o600
    page = file.read_text("utf-8")
    addresses = Addresses(page)
    assert not addresses.scripts
    assert all(one.startswith("data:") for one in addresses.found)
    text = text_of(page)
    assert "빠른 시작 · Quickstart" in text
    assert LABEL in text
    assert re.search(r"작성 · made 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d KST, kis_nb [\d.]+ DEMO", text)
    for code in ("import polars", "client.balance(", "Traceback", "account ="):
        assert code not in text
    assert page.count("<table") >= 4
    assert len(page) < 1_000_000
    Search(accounts=[ACCOUNT]).look(page, "the page")
    # The kernel's connection is in a folder that goes with the run.
    assert {path.name for path in tmp_path.iterdir()} <= {"night.html", "cache", ".ipython"}


OUTSIDE = """
from IPython.display import HTML, Markdown, display
display(HTML('<meta http-equiv="refresh" content="0;url=http://127.0.0.1:PORT/refresh">'
             '<link rel="preconnect" href="http://127.0.0.1:PORT">'
             '<base href="http://127.0.0.1:PORT/"><form action="/form"><button autofocus>'
             '<object data="http://127.0.0.1:PORT/o"></object><embed src="http://127.0.0.1:PORT/e">'
             '<b onclick="1" onmouseover="location=1">kept</b>'))
display({"text/html": "<i>isolated</i>"}, raw=True, metadata={"text/html": {"isolated": True}})
display(Markdown("![x](http://127.0.0.1:9/markdown.png)"))
display(HTML('<link rel="stylesheet" href="http://127.0.0.1:9/a.css"><b>shown</b>'
             '<img src="http://127.0.0.1:9/html.png"><iframe src="http://127.0.0.1:9/f"></iframe>'
             '<style>b { background: url(http://127.0.0.1:9/b.png) }</style>'))
display({"text/html": '<script src="http://127.0.0.1:9/s.js"></script>', "text/plain": "chart"},
        raw=True)
display(HTML('<img alt="bars" src="data:image/svg+xml,'
             '%3Csvg xmlns=%22http://www.w3.org/2000/svg%22 width=%2240%22 height=%2230%22/%3E">'))
print("1 < 2 & <b>")
import sys; print("a warning", file=sys.stderr)
import warnings; warnings.warn("another")
"""


def test_a_page_loads_nothing_from_outside(report: Callable[..., Ran], tmp_path: Path) -> None:
    """Also when a cell's own HTML wants to: a browser asks for the file alone. Pictures within the
    file show, a chart that needs scripts shows as its text, what is printed to stderr is kept, a
    warning without its line of code, and text is escaped.
    """
    refresh = '<meta http-equiv="refresh" content="0;url=http://127.0.0.1:PORT/text">'
    with socket.create_server(("127.0.0.1", 0)) as server, chromium() as browser:
        port = str(server.getsockname()[1])
        cells = [text.replace("PORT", port) for text in (f"# Own\n\n{refresh}", OUTSIDE)]
        done = report(notebook(tmp_path / "own.ipynb", *cells), "--output", tmp_path / "own.html")
        assert (done.code, done.said) == (0, "")
        page = browser.new_page()
        asked: list[str] = []
        page.on("requestfinished", lambda request: asked.append(request.url))
        page.on("response", lambda response: asked.append(response.url))
        page.goto((tmp_path / "own.html").as_uri())
        text = page.inner_text("body")
        width = page.locator("img[alt=bars]").evaluate("image => image.naturalWidth")
        page.wait_for_timeout(500)  # a refresh comes after the page
        assert page.url == (tmp_path / "own.html").as_uri()
        assert not select.select([server], [], [], 0)[0], "the server was asked"
    assert width == 40
    for one in ("markdown.png", "html.png", "iframe", "object", "embed"):
        assert f"[제외 · left out: {one}]" in text
    for shown in (
        "kept",
        "isolated",
        "shown",
        "chart",
        "1 < 2 & <b>",
        "a warning\nUserWarning: another",
    ):
        assert shown in text
    assert "warnings.warn" not in text
    files = {(tmp_path / "own.html").as_uri()}
    assert {url for url in asked if not url.startswith("data:")} == files


# HTML, and what is kept of it.
CLEANED = [
    ("<p style='color: red' onclick='x()'>a &lt; b</p>", '<p style="color: red">a &lt; b</p>'),
    ("<style>p > b { margin: 0 }</style>", "<style>p > b { margin: 0 }</style>"),
    ("<style><script></style>x", "<style>&lt;script></style>x"),
    ('<b id="x">1</b><script>alert("</p>")</script>2', '<b id="x">1</b>2'),
    ("<svg><style><a title='</style><img src=x onerror=alert(1)>'>", "[제외 · left out: svg]"),
    ("<body onload='x()'><head><title>t</title></head>1", "1"),
    ("<a href='javascript:x()'>1</a><a href=' data:text/html,x'>2</a>", "<a>1</a><a>2</a>"),
    ("<a href='https://x.test'>1</a>", '<a href="https://x.test">1</a>'),
    ("<img src=data:text/html,x srcset='http://x.test 2x'>", "[제외 · left out: img]"),
    ("<iframe srcdoc='<b>'></iframe>1", "[제외 · left out: iframe]1"),
    ("<video poster=http://x.test>1</video>", "[제외 · left out: video]"),
    ("<frameset><frame src=x></frameset>1", "1"),
    ("\x1b[1mbold\x1b[0m", "bold"),
]


@pytest.mark.parametrize(("given", "kept"), CLEANED)
def test_html_is_cleaned(tmp_path: Path, given: str, kept: str) -> None:
    """Elements, attributes and addresses on a list are kept, and nothing else."""
    assert clean_html(given, tmp_path) == kept


def test_tables_and_pictures_stay_as_they_are(tmp_path: Path) -> None:
    """As Polars writes the ones, and kis_nb the others."""
    table = (
        "<div><style>\n.dataframe > td { white-space: pre-wrap; }\n</style><small>shape: (1, 1)"
        '</small><table border="1" class="dataframe"><thead><tr><th>a</th></tr></thead><tbody><tr>'
        "<td>&quot;1&quot; &amp; 2</td></tr></tbody></table></div>"
    )
    image = (
        '<img alt="P&amp;L" width="40" style="max-width:100%;height:auto" '
        "src=\"data:image/svg+xml,%3Csvg a='1' b=%22&amp;amp;%22/%3E\">"
    )
    for given in (table, image):
        texts = (given, clean_html(given, tmp_path))
        before, after = (bs4.BeautifulSoup(text, "html.parser") for text in texts)
        assert [(one.name, one.attrs) for one in after()] == [
            (one.name, one.attrs) for one in before()
        ]
        assert after.get_text() == before.get_text()


def test_pictures_of_the_notebooks_folder_are_in_the_page(
    report: Callable[..., Ran], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Those of text cells and of outputs; one that cannot be put there is named, without its
    folder. Nothing is logged of pictures that have no text.
    """
    folder = tmp_path / "own"
    (folder / "sub").mkdir(parents=True)
    pixel = base64.b64decode("R0lGODlhAQABAAAAACwAAAAAAQABAAA=")
    for name in ("own/a b.gif", "own/sub/c.gif", "outside.gif", "own/d.txt"):
        (tmp_path / name).write_bytes(pixel)
    text = (
        "# P\n\n![](a%20b.gif) <img src='sub/c.gif'> ![](none/e.png) ![](../outside.gif) ![](sub)"
    )
    cell = "from IPython.display import HTML; HTML('<img src=sub/c.gif><img src=d.txt><img>')"
    path = notebook(folder / "own.ipynb", text, cell)
    done = report(path, "--output", tmp_path / "own.html")
    assert (done.code, done.said) == (0, "")
    page = (tmp_path / "own.html").read_text("utf-8")
    assert page.count(f"data:image/gif;base64,{base64.b64encode(pixel).decode()}") == 3
    assert all(one.startswith("data:") for one in Addresses(page).found)
    for name in ("e.png", "outside.gif", "sub", "d.txt", "img"):
        assert page.count(f"[제외 · left out: {name}]") == 1
    assert not [record for record in caplog.records if record.name.startswith("kis_nb")]


def test_the_code_shows_when_it_is_asked_for(report: Callable[..., Ran], tmp_path: Path) -> None:
    """With its colours in the file; the notebook's own folder is where it works; Korean alone."""
    (tmp_path / "data.txt").write_text("from the folder", "utf-8")
    cell = "text = open('data.txt').read()\nprint(text)"
    path = notebook(tmp_path / "own.ipynb", cell)
    done = report(path, "--output", tmp_path / "own.html", "--code", "--lang", "ko")
    assert (done.code, done.said) == (0, "")
    page = (tmp_path / "own.html").read_text("utf-8")
    assert '<span class="nb">open</span>' in page
    assert ".highlight .nb" in page
    assert "from the folder" in text_of(page)
    assert text_of(page).startswith("작성 20")
    assert "<title>own</title>" in page


def test_a_pdf_is_a4(report: Callable[..., Ran], tmp_path: Path) -> None:
    """Every page of it, with text; one long line does not make it wider."""
    cells = ("# 야간 · Night", "print('x' * 900)\nfor n in range(120): print(n)")
    path = notebook(tmp_path / "own.ipynb", *cells)
    done = report(path, "--output", tmp_path / "own.pdf")
    assert done.code == 0, done.err
    assert done.out == f"{tmp_path / 'own.pdf'}\n"
    content = (tmp_path / "own.pdf").read_bytes()
    boxes = re.findall(rb"/MediaBox ?\[0 0 ([\d.]+) ([\d.]+)\]", content)
    assert len(boxes) > 1
    for width, height in boxes:
        assert float(width) == pytest.approx(595.3, abs=1)
        assert float(height) == pytest.approx(841.9, abs=1)
    assert b"/Font" in content
    assert "야간 · Night".encode("utf-16-be").hex().upper().encode() in content.upper()
    assert (tmp_path / "own.pdf").stat().st_mode & 0o777 == 0o600


def test_a_pdf_without_a_browser_is_refused_before_the_run(
    report: Callable[..., Ran], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line says what is missing, and nothing is run or written."""
    monkeypatch.setattr(pdf, "_PLACES", ())
    monkeypatch.setattr(shutil, "which", lambda _: None)
    path = notebook(tmp_path / "own.ipynb", "open('ran', 'w')")
    done = report(path, "--output", tmp_path / "own.pdf")
    assert done.code == 1
    assert re.fullmatch(r"kis-nb: a \.pdf is printed by Chromium, .*\n", done.err)
    assert [file.name for file in tmp_path.iterdir()] == ["own.ipynb"]


def test_a_browser_that_does_not_print_is_an_error(
    report: Callable[..., Ran], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And a computer without Korean fonts is told so."""
    monkeypatch.setattr(pdf, "_COMMANDS", ("true",))
    monkeypatch.setattr("kis_nb._cli.report.command.korean_font", lambda: False)
    path = notebook(tmp_path / "own.ipynb", "1")
    done = report(path, "--output", tmp_path / "own.pdf")
    assert done.code == 1
    assert "no Korean font is installed" in done.err
    assert "did not print" in done.err
    assert not (tmp_path / "own.pdf").exists()


def test_a_browser_of_a_snap_is_known() -> None:
    """It cannot read /tmp, so it is given a folder beside the report."""
    assert pdf._is_snap("/snap/bin/chromium") is (sys.platform == "linux")
    assert not pdf._is_snap("/usr/bin/google-chrome")


PULL = """
import os, sys
import kis_nb
client = kis_nb.connect(demo=demo)
balance = client.balance(account)
print(balance.positions.height, account, client.demo)
print(sorted(name for name in os.environ if name.startswith("KIS_")))
print(sys.executable)
"""


def test_the_executed_notebook_holds_masked_labels_alone(
    report: Callable[..., Ran], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A valid notebook with outputs and parameters; no path of the run's own folder. The demo's
    kernel is this Python, and sees no credentials of the environment.
    """
    for name in ("KIS_APP_KEY", "KIS_APP_SECRET", "KIS_ACCOUNTS"):
        monkeypatch.setenv(name, "99912345-03")
    path = notebook(tmp_path / "own.ipynb", "# Own", PULL, given=PARAMETERS)
    done = report(path, ACCOUNT, "--demo", "--output", tmp_path / "out.ipynb")
    assert (done.code, done.said) == (0, "")
    text = (tmp_path / "out.ipynb").read_text("utf-8")
    book = nbformat.reads(text, as_version=4)
    nbformat.validate(book)
    assert book.metadata.papermill.parameters == {"demo": True, "account": LABEL}
    printed = book.cells[-1].outputs[0].text.splitlines()
    names = ["KIS_NB_CACHE_DIR", "KIS_NB_DEMO", "KIS_NB_FAILURES"]
    assert printed == [f"64 {LABEL} True", str(names), sys.executable]
    assert "kis-nb-" not in text
    assert "_path" not in book.metadata.papermill
    Search(accounts=[ACCOUNT]).look(text, "the notebook")
    assert os.environ["KIS_APP_KEY"] == "99912345-03"


# --- failures ------------------------------------------------------------------------------------


def test_a_failing_cell_is_said_in_words(report: Callable[..., Ran], tmp_path: Path) -> None:
    """At the top and at its place, with the cells that were not run; without a traceback, code or
    a path of this machine, and with nothing of papermill's own.
    """
    path = notebook(
        tmp_path / "own.ipynb",
        *("print('before')", "# Second part", f"open({str(tmp_path / 'no<b>.csv')!r})"),
        *("# Third part", "print('after')", "1 + 1"),
    )
    done = report(path, "--output", tmp_path / "own.html")
    assert done.code == 1
    assert done.out == f"{tmp_path / 'own.html'}\n"
    assert done.said == "kis-nb: the report is incomplete; its first lines say what failed\n"
    page = (tmp_path / "own.html").read_text("utf-8")
    text = text_of(page)
    assert "이 보고서는 완전하지 않습니다. · This report is incomplete." in text
    assert "셀 2 · cell 2 (Second part): 이 셀이 오류로 끝났습니다 · this cell failed;" in text
    assert text.count("FileNotFoundError: [Errno 2]") == 2
    assert "'…/no&lt;b&gt;.csv'" in text
    assert "실행되지 않은 셀: 2개 · cells that were not run: 2" in text
    assert text.count("This cell was not run.") == 2
    assert text.index("before") < text.rindex("this cell failed") < text.index("Third part")
    for unwanted in ("Traceback", str(tmp_path), "papermill", "ipykernel", "open(", "print("):
        assert unwanted not in page
    done = report(path, "--output", tmp_path / "code.html", "--code", "--lang", "en")
    assert done.code == 1
    text = text_of((tmp_path / "code.html").read_text("utf-8"))
    assert "Traceback (most recent call last)" in text
    assert "완전" not in text


CAUGHT = """
import kis_nb
client = kis_nb.connect(retries=0)
many = client.balances(mgna_dvsn=["01", "02"])
print(len(many), "pulled")
"""
AGAIN = """
try:
    client.balance(client.accounts[0], excc_stat_cd="2")
except kis_nb.KisError:
    print("caught")
"""


@pytest.mark.parametrize("form", ["html", "ipynb"])
def test_a_pull_whose_error_was_caught_is_said_too(
    report: Callable[..., Ran], own: Broker, tmp_path: Path, form: str
) -> None:
    """Collected by `balances` or caught in a cell that went on: the account masked, both codes, the
    error, and how many rows had been read; what was pulled is in the report.
    """
    refusal = WIRE["OPSQ2000"]
    own.fault(refusal.at(2, times=2))
    path = notebook(tmp_path / "own.ipynb", "# Part", CAUGHT, AGAIN, "client.balance()")
    done = report(path, "--output", tmp_path / f"out.{form}", "--lang", "en")
    assert done.code == 1
    text = (tmp_path / f"out.{form}").read_text("utf-8")
    if form == "ipynb":
        book = nbformat.reads(text, as_version=4)
        nbformat.validate(book)
        text = " ".join(cell.source for cell in book.cells if cell.cell_type == "markdown")
        assert [cell.metadata.get("tags") for cell in book.cells[:2]] == [["kis-nb-report"], []]
    else:
        text = text_of(text)
        assert "pulled" in text
        assert "45 rows" in text
    assert "This report is incomplete." in text
    assert text.count("rows read before the error: 20") == 4
    assert text.count(f"{LABEL} MGNA_DVSN=0") == 4
    assert "cell 1 (Part): 800*****-03" in text
    assert "ApiError: " in text
    assert "this cell failed" not in text
    Search(accounts=[ACCOUNT]).look(text, "the report")


def test_a_pull_that_ends_the_notebook_is_said_once(
    report: Callable[..., Ran], own: Broker, tmp_path: Path
) -> None:
    """As the cell's error, with what had been read of the account."""
    own.fault(WIRE["OPSQ2000"].at(3, times=None))
    cell = "import kis_nb\nkis_nb.connect(retries=0).balance(account)"
    path = notebook(tmp_path / "own.ipynb", cell, "print('after')", given=PARAMETERS)
    done = report(path, LABEL, "--output", tmp_path / "out.html", "--lang", "en")
    assert done.code == 1
    text = text_of((tmp_path / "out.html").read_text("utf-8"))
    line = f"this cell failed; {LABEL} MGNA_DVSN=01 EXCC_STAT_CD=1; rows read before the error: 40;"
    assert text.count(line) == 2
    assert text.count("ApiError: ") == 2
    assert text.count("This cell was not run.") == 1


def test_a_kernel_that_dies_is_said(report: Callable[..., Ran], tmp_path: Path) -> None:
    """What was done before is in the report."""
    path = notebook(tmp_path / "own.ipynb", "print('before')", "import os; os._exit(1)", "2")
    done = report(path, "--output", tmp_path / "own.html", "--lang", "en")
    assert done.code == 1
    text = text_of((tmp_path / "own.html").read_text("utf-8"))
    assert "cell 2: this cell failed; DeadKernelError: the kernel died" in text
    assert text.count("This cell was not run.") == 1
    assert "before" in text


def test_a_notebook_may_end_itself(report: Callable[..., Ran], tmp_path: Path) -> None:
    """`sys.exit()` is no failure, so nothing is said of the cells after it."""
    path = notebook(tmp_path / "own.ipynb", "import sys; sys.exit(0)", "2")
    done = report(path, "--output", tmp_path / "own.html", "--lang", "en")
    assert (done.code, done.said) == (0, "")
    text = text_of((tmp_path / "own.html").read_text("utf-8"))
    assert "not run" not in text
    assert "incomplete" not in text


def test_a_kernel_that_does_not_start_is_an_error(
    report: Callable[..., Ran], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line, and no file."""

    def broken(path: Path) -> None:
        path.mkdir()
        spec = {"argv": ["false"], "display_name": "x", "language": "python"}
        (path / "kernel.json").write_text(json.dumps(spec), "utf-8")

    monkeypatch.setattr("ipykernel.kernelspec.write_kernel_spec", broken)
    path = notebook(tmp_path / "own.ipynb", "1")
    done = report(path, "--output", tmp_path / "own.html")
    assert done.code == 1
    assert done.err == f"kis-nb: the kernel could not be started: {sys.executable}\n"
    assert not (tmp_path / "own.html").exists()


SLEEP = """
import os, time
with open("pid", "w") as pipe:
    pipe.write(str(os.getpid()))
time.sleep(600)
"""


@pytest.mark.parametrize("way", ["terminate", "interrupt"])
def test_an_interrupted_run_leaves_nothing(tmp_path: Path, way: str) -> None:
    """Neither a file nor a folder nor the kernel; the exit code is that of Ctrl-C."""
    work, made = tmp_path / "work", tmp_path / "made"
    work.mkdir()
    made.mkdir()
    os.mkfifo(work / "pid")
    pipe = os.open(work / "pid", os.O_RDONLY | os.O_NONBLOCK)
    path = notebook(work / "own.ipynb", SLEEP)
    with subprocess.Popen(
        [*COMMAND, "report", str(path), "--output", str(work / "own.html")],
        env=os.environ | {"PYTHONPATH": str(TOP), "TMPDIR": str(made)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        watchdog = threading.Timer(LIMIT, process.kill)
        watchdog.start()
        assert select.select([pipe], [], [], LIMIT)[0], "the cell was not run"
        kernel = int(os.read(pipe, 100))
        os.close(pipe)
        process.terminate() if way == "terminate" else process.send_signal(2)
        out, err = process.communicate()
        watchdog.cancel()
    assert process.returncode == 130, err
    assert out == ""
    assert err.splitlines() == ["kis-nb: cell 1 of 1", "kis-nb: interrupted"]
    assert {file.name for file in work.iterdir()} == {"own.ipynb", "pid"}
    assert not list(made.iterdir())
    with pytest.raises(ProcessLookupError):
        os.kill(kernel, 0)


def test_an_interrupt_while_the_kernel_starts_ends_it(
    report: Callable[..., Ran], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """nbclient has no handler for that moment."""
    processes: list[subprocess.Popen[bytes]] = []

    def interrupted(self: Any) -> None:
        processes.append(self.km.provisioner.process)
        raise KeyboardInterrupt

    monkeypatch.setattr("nbclient.NotebookClient.start_new_kernel_client", interrupted)
    done = report(notebook(tmp_path / "own.ipynb", "1"), "--output", tmp_path / "own.html")
    assert (done.code, done.out, done.err) == (130, "", "kis-nb: interrupted\n")
    (process,) = processes
    assert process.poll() is not None
    assert not (tmp_path / "own.html").exists()


NO_PICTURES = """
from IPython.display import HTML, display
line = '<p class="kis-no-picture">차트 그림을 만들 수 없음 · No picture of the chart: 1 &lt; 2</p>'
display(HTML(line)); display(HTML("<b>equity</b>" + line))
display(HTML('<p class="kis-no-picture">install it</p>'))
"""


def test_a_real_chart_without_the_converter_is_a_problem(
    report: Callable[..., Ran], tmp_path: Path
) -> None:
    """The line that stands in its place is that of the package; with the converter all is well."""
    pull = "import kis_nb\nclient = kis_nb.connect(demo=True)\n"
    pull += "balance = client.balance(client.accounts[0])"
    missing = "from kis_nb._widgets.picture import CONVERTER\n"
    missing += "CONVERTER.is_installed = lambda: False"
    chart = "kis_nb.charts.margin(balance)"
    for cells, code in (((pull, chart), 0), ((pull, missing, chart), 1)):
        path = notebook(tmp_path / f"own{code}.ipynb", *cells)
        output = tmp_path / f"out{code}.html"
        done = report(path, "--demo", "--lang", "en", "--output", output)
        page = output.read_text("utf-8")
        assert done.code == code
        assert ("data:image/svg+xml" in page) is (code == 0)
        assert ("kis_nb[pictures]" in text_of(page)) is (code == 1)


@pytest.mark.parametrize("form", ["html", "ipynb"])
def test_a_chart_without_a_picture_makes_a_report_incomplete(
    report: Callable[..., Ran], tmp_path: Path, form: str
) -> None:
    """Its reason is said at the top and at the cell, each reason once; the cells go on."""
    path = notebook(tmp_path / "own.ipynb", "1", "# Part", NO_PICTURES, "2 + 40")
    done = report(path, "--output", tmp_path / f"out.{form}", "--lang", "en")
    assert done.code == 1
    assert done.said == "kis-nb: the report is incomplete; its first lines say what failed\n"
    text = (tmp_path / f"out.{form}").read_text("utf-8")
    if form == "ipynb":
        cells = nbformat.reads(text, as_version=4).cells
        text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    reason = "차트 그림을 만들 수 없음 · No picture of the chart: 1 &lt; 2"
    assert text.count(f"<code>{reason}</code>") == 2
    assert f"cell 2 (Part): <code>{reason}</code>" in text
    assert text.count("<code>install it</code>") == 2
    assert "This report is incomplete." in text
    assert "this cell failed" not in text
    assert form == "ipynb" or "42" in text


def test_control_characters_do_not_reach_the_page(
    report: Callable[..., Ran], tmp_path: Path
) -> None:
    """Colours, links of a terminal and single ones, of an error and of what is printed."""
    wild = r"\x1b[31mred\x1b[0m \x1b]8;;http://x\x07link\x1b]8;;\x07 bell\x07 nul\x00 c1\x9b"
    path = notebook(tmp_path / "own.ipynb", f"print('{wild}')", f"raise ValueError('{wild}')")
    for words in ((), ("--code",)):
        done = report(path, "--output", tmp_path / "own.html", "--force", *words)
        assert done.code == 1
        page = (tmp_path / "own.html").read_text("utf-8")
        assert not re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]", page)
        assert page.count("<code>ValueError: red link bell nul c1</code>") == 2


def test_too_deep_a_notebook_is_said(
    report: Callable[..., Ran], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A recursion error is not taken for a kernel that does not start."""

    def deep(*_: object, **__: object) -> None:
        raise RecursionError

    monkeypatch.setattr("papermill.execute_notebook", deep)
    done = report(notebook(tmp_path / "own.ipynb", "1"), "--output", tmp_path / "own.html")
    assert (done.code, done.err) == (1, "kis-nb: the notebook is nested too deeply to be run\n")


# --- what is refused -----------------------------------------------------------------------------


def test_what_is_there_is_not_overwritten(report: Callable[..., Ran], tmp_path: Path) -> None:
    """It is refused before anything is run; with --force it is replaced."""
    path = notebook(tmp_path / "own.ipynb", "open('ran', 'w').close()")
    file = tmp_path / "own.html"
    file.write_text("mine", "utf-8")
    done = report(path, "--output", file)
    assert (done.code, done.out) == (1, "")
    assert done.err == f"kis-nb: {file}: is there already; nothing was written\n"
    assert file.read_text("utf-8") == "mine"
    assert not (tmp_path / "ran").exists()
    assert report(path, "--output", file, "--force").code == 0
    assert file.read_text("utf-8").startswith("<!DOCTYPE html>")


# The words after the notebook's path, the exit code, and a part of the message.
REFUSED = [
    (("--output", "x.docx"), 2, "end FILE with .html, .pdf, .ipynb"),
    (("--output", "none/x.html"), 1, "No such file or directory"),
    (("--output", "own.ipynb", "--force"), 2, "would replace the notebook"),
    (("--output", "x.html", "-p", "size"), 2, "name=value"),
    (("--output", "x.html", "-p", "tall=3"), 2, "it has: size, name, when"),
    (("--output", "x.html", "-p", "demo=1"), 2, "set by --demo"),
    (("--output", "x.html", "-p", "account=800"), 2, "set by ACCOUNT"),
    (("--output", "x.html", "-p", "name=80012345-03"), 2, "give it as ACCOUNT"),
    (("--output", "x.html", "-p", "name=8001234503"), 2, "give it as ACCOUNT"),
    (("--output", "x.html", "-p", "name=8001 2345 - 03!"), 2, "give it as ACCOUNT"),
    (("--output", "x.html", "-p", "size=8001234503"), 2, "give it as ACCOUNT"),
    (("--output", "x.html", "-p", "size=[{a: 8_001_234_503}]"), 2, "give it as ACCOUNT"),
    (("--output", "x.html", "-p", "size=8.001234503e+9"), 2, "give it as ACCOUNT"),
    (("--output", "x.html", "-p", r'size="800\x312345-03"'), 2, "give it as ACCOUNT"),
    (("--demo", "--output", "x.html", "-p", "size=80012345"), 2, "give it as ACCOUNT"),
    (("--demo", "--output", "x.html", "-p", "name=of 8001-2345"), 2, "give it as ACCOUNT"),
    (("--output", "x.html", "-p", "size=[1"), 2, "no YAML"),
    (("--output", "x.html", "-p", "size=2026-01-01"), 2, "put a date in quotes"),
    (("--output", "x.html", "-p", "size=2026-13-01"), 2, "put a date in quotes"),
    (("--output", "x.html", "-p", "size=!!timestamp x"), 2, "-p size: its value must be"),
    (("--output", "x.html", "-p", "size=!!bool x"), 2, "-p size: its value must be"),
    (("--output", "x.html", "-p", "size=!!set {a}"), 2, "-p size: its value must be"),
    (("--output", "x.html", "-p", "size={1: 2}"), 2, "-p size: its value must be"),
    (("--output", "x.html", "-p", "size=.nan"), 2, "-p size: its value must be"),
    (("--output", "x.html", "-p", "size=" + "9" * 5000), 2, "-p size: its value must be"),
    (("--output", "x.html", "-p", "size=" + "[" * 30 + "]" * 30), 2, "-p size: its value must be"),
    (("--output", "x.html", "-p", "size=&x [*x]"), 2, "YAML alias"),
    (("80012345-03", "70045678-03", "--demo", "--output", "x.html"), 2, "takes one ACCOUNT"),
    (("99912345-03", "--demo", "--output", "x.html"), 2, "999*****-03"),
    (("no account", "--demo", "--output", "x.html"), 2, "does not look like that"),
    (("80012345-03", "--output", "x.html"), 1, "KIS_APP_KEY"),
    ((), 2, "--output"),
]


@pytest.mark.parametrize(("words", "code", "part"), REFUSED)
def test_what_does_not_fit_is_refused(
    report: Callable[..., Ran],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
    code: int,
    part: str,
) -> None:
    """Before the run, in one line, which repeats no account number."""
    monkeypatch.chdir(tmp_path)
    given = f"{PARAMETERS}\nsize = 1\nname = 'x'\nwhen: object = print"
    notebook(tmp_path / "own.ipynb", "open('ran', 'w')", given=given)
    done = report("own.ipynb", *words)
    assert (done.code, done.out) == (code, "")
    assert part in done.err
    assert done.err.count("\n") == 1
    assert not re.search("0012345|2345 -|001_234|001234|12345-03", done.err)
    assert {file.name for file in tmp_path.iterdir()} == {"own.ipynb"}


def test_what_is_no_notebook_is_refused(report: Callable[..., Ran], tmp_path: Path) -> None:
    """A wrong name, file, folder, form or language: a line that says which."""
    out = ("--output", tmp_path / "x.html")
    assert "there are: dashboard, four_views" in report("nothing", *out).err
    assert "No such file" in report(tmp_path / "none.ipynb", *out).err
    (tmp_path / "folder.ipynb").mkdir()
    assert "Is a directory" in report(tmp_path / "folder.ipynb", *out).err
    (tmp_path / "text.ipynb").write_text("{}", "utf-8")
    assert "no notebook" in report(tmp_path / "text.ipynb", *out).err
    path = notebook(tmp_path / "r.ipynb", "1")
    book = nbformat.read(path, as_version=4)
    book.metadata["kernelspec"] = {"name": "ir", "display_name": "R", "language": "R"}
    nbformat.write(book, path)
    assert "another language" in report(path, *out).err
    path = notebook(tmp_path / "words.ipynb", "1", given="no python")
    assert "is no Python" in report(path, *out).err
    nested = '{"cells": [], "metadata": {"a": ' + "[" * 100_000
    (tmp_path / "nested.ipynb").write_text(nested, "utf-8")
    assert "no notebook" in report(tmp_path / "nested.ipynb", *out).err
    (tmp_path / "folder.html").mkdir()
    done = report(path, "--force", "--output", tmp_path / "folder.html")
    assert (done.code, done.out) == (1, "")
    assert done.err == f"kis-nb: {tmp_path / 'folder.html'}: Is a directory\n"
    assert not (tmp_path / "x.html").exists()


def test_missing_libraries_are_named(
    report: Callable[..., Ran], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line says what to install."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    done = report("quickstart", "--demo", "--output", tmp_path / "x.html")
    assert done.code == 1
    assert done.err.count("\n") == 1
    assert "papermill, nbclient, nbconvert, ipykernel, vl-convert-python;" in done.err
    assert '-m pip install "kis_nb[report]"' in done.err


# --- parameters and accounts ---------------------------------------------------------------------

DEFAULTS = {"demo": True, "text": "01", "number": 1, "listed": None, "made": COMPUTED}


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("text=02", "02"),
        ("text=a=b", "a=b"),
        ("text=", ""),
        ("number=02", 2),
        ("number=-1.5", -1.5),
        ("listed=[-5, 0, 5]", [-5, 0, 5]),
        ("listed=이름", "이름"),
        ("listed={a: [0.8001234503, 20260101, 2.5]}", {"a": [0.8001234503, 20260101, 2.5]}),
        ("listed=800123450399", 800123450399),
        ("text=2026-01-01 09:30 20260101 10:30", "2026-01-01 09:30 20260101 10:30"),
        ('listed="2026-01-01"', "2026-01-01"),
        ("listed=", None),
        ("made=true", True),
    ],
)
def test_a_parameter_is_text_where_the_notebook_has_text(word: str, value: object) -> None:
    """And YAML elsewhere."""
    found = parameters([word], [], DEFAULTS, demo=False, lang="ko")
    assert found == {"demo": False, word.partition("=")[0]: value}


def test_language_and_demo_are_set_where_the_notebook_has_them() -> None:
    """A notebook without those parameters gets none."""
    known = {"lang": "en", "demo": True}
    assert parameters([], [], known, demo=False, lang="ko") == {"lang": "ko", "demo": False}
    assert parameters([], [], {}, demo=True, lang="ko") == {}


def test_an_account_becomes_its_masked_label() -> None:
    """One or several, by number, name or label, each once; a client finds the account by it."""
    asked = ["demo 2", ACCOUNT, "8001234503", LABEL]
    found = parameters([], asked, {"accounts": None}, demo=True, lang="ko")
    assert found == {"accounts": ["700*****-03", LABEL]}
    one = parameters([], ["Demo 1"], {"account": None}, demo=True, lang="ko")
    assert one == {"account": LABEL}
    with connect(demo=True) as client:
        for label in found["accounts"]:  # type: ignore[attr-defined]
            assert client.balance(label).account.masked == label
    with pytest.raises(UsageProblem, match="takes no ACCOUNT"):
        parameters([], [ACCOUNT], {}, demo=True, lang="ko")


def test_the_defaults_are_read_without_running_them(tmp_path: Path) -> None:
    """Literals are; what is computed is known by name."""
    given = "a, b = 1, 2\nc = d = 'x'\ne: int = 3\nf: int\ng = open('x')\nprint(c)\nh = {[]: 1}"
    source = find_source(str(notebook(tmp_path / "own.ipynb", "# T", given=given)))
    assert source.defaults == {"c": "x", "d": "x", "e": 3, "g": COMPUTED, "h": COMPUTED}
    assert (source.title, source.folder) == ("T", tmp_path)
    assert find_source("quickstart").folder == Path.cwd()


@pytest.mark.parametrize(
    ("given", "defaults"),
    [
        ("%matplotlib inline\n !ls\ni = 5\nj = '%'", {"i": 5, "j": "%"}),
        ("i = (5\n  % 3)", {"i": COMPUTED}),
        ('i = """\n%a"""', {"i": "\n%a"}),
    ],
)
def test_lines_for_ipython_are_passed_over(
    tmp_path: Path, given: str, defaults: dict[str, object]
) -> None:
    """Among the parameters, and only where they are no Python."""
    source = find_source(str(notebook(tmp_path / "own.ipynb", given=given)))
    assert source.defaults == defaults


def test_progress_is_rewritten_on_a_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In place, with no line for each cell."""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    run_module._progress("cell 1 of 2")
    assert capsys.readouterr().err == "\r\x1b[Kkis-nb: cell 1 of 2"


# --- the log of failed pulls ---------------------------------------------------------------------


def test_failed_pulls_are_noted(
    guarded: Broker,
    client_of: Callable[..., Client],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Only when the variable names a file, which is not made; a cancelled pull has not failed."""
    client = client_of(guarded, retries=0)
    guarded.fault(WIRE["OPSQ2000"].at(None, times=None))
    path = tmp_path / "failures"
    with pytest.raises(ApiError):
        client.balance()
    path.touch()
    monkeypatch.setenv(_failure_log.VARIABLE, str(path))
    with pytest.raises(ApiError) as caught:
        client.balance()
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(Cancelled):
        client.balance(cancel=cancel)
    (one,) = _failure_log.read(path)
    assert (one.account, one.mgna_dvsn, one.excc_stat_cd) == (LABEL, "01", "1")
    assert (one.error, one.message, one.rows) == ("ApiError", str(caught.value), None)
    Search(accounts=[ACCOUNT]).look(path.read_text("utf-8"), "the file")


def test_a_log_that_is_gone_is_no_silence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pull that cannot be noted raises an error of its own."""
    monkeypatch.setenv(_failure_log.VARIABLE, str(tmp_path / "none"))
    view = (Account.parse(ACCOUNT), Margin.INITIAL, Basis.PURCHASE)
    with pytest.raises(FileNotFoundError):
        _failure_log.note(view, LABEL, ApiError("refused"))
