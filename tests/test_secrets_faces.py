"""The command line, the magic and the notebooks, run with invented credentials and DEBUG logging.

Each runs in a process of its own. Searched are its output, every file it leaves, its command line,
and the command line and environment of every process that it starts.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
import threading
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat
import polars as pl
import pytest

import kis_nb
from kis_nb._cli.arguments import UsageProblem
from kis_nb._cli.parser import build_parser
from kis_nb._magic import KisMagic
from tests.faults import WIRE
from tests.leaks import ACCOUNT, APP_KEY, APP_SECRET, Search, watch_kernels

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.faults import Broker

TOP = Path(__file__).parents[1]
LIMIT = 180  # reached by a hang only
COMMAND = ("-c", "import sys; from kis_nb._cli.main import main; sys.exit(main(sys.argv[1:]))")

# Imported by every interpreter of the test before anything else: all loggers at DEBUG, to stderr;
# its own command line, and what it starts with which environment, into files.
WITNESS = """
import json, logging, os, sys
from pathlib import Path

logging.basicConfig(level=logging.DEBUG, stream=sys.stderr, format="%(name)s %(message)s %(args)s")
seen = Path(os.environ["WITNESS"])
with (seen / f"{os.getpid()}.line").open("a") as file:
    file.write(Path("/proc/self/cmdline").read_text() if sys.platform == "linux" else str(sys.argv))

starts = {"subprocess.Popen": (1, 3), "os.posix_spawn": (1, 2), "os.exec": (1, 2)}

def hook(event, arguments):
    if event == "os.system":
        sys.exit("a shell was started")
    if event in starts:
        words, environment = (arguments[at] for at in starts[event])
        environment = dict(os.environ if environment is None else environment)
        with (seen / f"{os.getpid()}.children").open("a") as file:
            file.write(json.dumps([list(map(str, words)), environment]) + "\\n")

sys.addaudithook(hook)
"""
# In JupyterLab's place: prints what a child sees.
LAB = "import os, sys; print(sys.argv, dict(os.environ))"


class Face:
    """Runs interpreters as a customer would, and searches all that is left of them."""

    def __init__(self, broker: Broker, folder: Path) -> None:
        self.broker = broker
        self.home = folder / "home"
        self.seen = folder / "seen"
        site = folder / "site"
        for made in (self.home, self.seen, site / "jupyterlab"):
            made.mkdir(parents=True)
        (site / "sitecustomize.py").write_text(WITNESS, "utf-8")
        (site / "jupyterlab" / "__init__.py").write_text("", "utf-8")
        (site / "jupyterlab" / "__main__.py").write_text(LAB, "utf-8")
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("KIS_", "JUPYTER"))}
        self.environment = kept | {
            "HOME": str(self.home),
            "IPYTHONDIR": str(self.home / "ipython"),
            "KIS_NB_CACHE_DIR": str(self.home / "cache"),
            "KIS_APP_KEY": APP_KEY,
            "KIS_APP_SECRET": APP_SECRET,
            "KIS_ACCOUNTS": ACCOUNT,
            "KIS_BASE_URL": broker.address,
            "PYTHONPATH": f"{site}{os.pathsep}{TOP}",
            "PYTHONUTF8": "1",
            "PYTHONWARNINGS": "default",
            "WITNESS": str(self.seen),
        }

    def run(
        self, *words: str, text: str | None = None, **environment: str
    ) -> subprocess.CompletedProcess[bytes]:
        """One interpreter, ended."""
        return subprocess.run(
            [sys.executable, *words],
            env=self.environment | environment,
            cwd=self.home,
            input=None if text is None else text.encode(),
            capture_output=True,
            timeout=LIMIT,
            check=False,
        )

    def search(self, runs: Sequence[subprocess.CompletedProcess[bytes]]) -> None:
        """Everything, for everything; only the token store may hold the token."""
        authorizations = (call.headers.get("authorization", "") for call in self.broker.calls)
        tokens = {text.split()[-1] for text in authorizations if text}
        search, store = Search(APP_KEY, APP_SECRET, *tokens), Search(APP_KEY, APP_SECRET)
        for run in runs:
            search.look(run.stdout.decode("latin-1"), f"stdout of {run.args[-3:]}")
            search.look(run.stderr.decode("latin-1"), f"stderr of {run.args[-3:]}")
        lines = 0
        for path in sorted([*self.home.rglob("*"), *self.seen.glob("*.line")]):
            lines += path.suffix == ".line"
            if path.is_file():
                searched = store if path.parent.name == "cache" else search
                searched.look(path.name + path.read_bytes().decode("latin-1"), path.name)
            if path.suffix == ".parquet":  # compressed
                search.look(pl.read_parquet(path).write_csv(), path.name)
                search.look(str(pl.read_parquet_metadata(path)), path.name)
        assert lines >= len(runs), "an interpreter ran without the witness"

    def children(self) -> str:
        """What all processes of the test started, with which environment."""
        return "".join(path.read_text("utf-8") for path in self.seen.glob("*.children"))


@pytest.fixture
def face(guarded: Broker, tmp_path: Path) -> Face:
    return Face(guarded, tmp_path)


BALANCE = [
    (),
    *(("--format", form) for form in ("table", "json", "csv", "parquet")),
    *(("--format", form, "--block", "summary") for form in ("table", "json", "csv", "parquet")),
    ("--mgna-dvsn", "02", "--excc-stat-cd", "2", "--lang", "ko"),
    ("800*****-03", "--lang", "en", "--output", "kept.csv"),
    ("--output", "kept.parquet"),
    ("--output", "kept.json", "--force"),
    ("--demo",),
]
CHECK = [
    ("check",),
    ("check", "800*****-03", "--report", "report.json", "--lang", "ko"),
    ("check", "800*****-03", "--report", "again.json", "--force"),
    ("check", "--demo", "--report", "demo.json"),
]
# The first is of a template, the others of a notebook that the test writes, whose pulls fail.
REPORT = [
    ("report", "quickstart", "--output", "plain.html", "--lang", "ko", "--force"),
    ("report", "failing.ipynb", "800*****-03", "--output", "out.html", "-p", "size=2", "--code"),
    ("report", "failing.ipynb", "--output", "out.ipynb", "--parameter", "size=3"),
    ("report", "failing.ipynb", "--output", "out.pdf"),
    ("report", "failing.ipynb", "--demo", "--output", "demo.html"),
]
# Interrupted, as a night is longer than a test; the others read what it has kept.
RECORD = (
    *("record", "800*****-03", "--to", "kept", "--every", "1", "--until", "23:59"),
    *("--mgna-dvsn", "both", "--excc-stat-cd", "both", "--lang", "ko"),
)
HISTORY = [
    ("history", "kept"),
    ("history", "kept", "--format", "csv", "--since", "2026-01-02", "--until", "2100-01-01"),
    ("history", "kept", "--format", "json", "--account", "800*****-03", "--lang", "ko"),
    ("history", "filled", "--fill-from", "2026-11-16", "--until", "2026-11-17"),
    ("history", "demo", "--fill-from", "2026-11-16", "--until", "2026-11-17", "--demo"),
    ("record", "--to", "demo", "--demo"),
]
RISK = [
    ("risk",),
    ("risk", "800*****-03", "--spot", "-3", "--vol", "20", "--lang", "ko"),
    ("risk", "--underlying", "KOSPI 200", "--format", "json"),
    ("risk", "--block", "scenarios", "--output", "grid.csv"),
    ("risk", "--block", "positions", "--output", "kept.json", "--force"),
    ("risk", "--demo", "--block", "answers", "--format", "csv"),
]
OTHERS = [
    ("new", "--list"),
    ("new", "research"),
    ("new", "dashboard", "named.ipynb"),
    ("balance", "--help"),
    ("--version",),
    ("demo", "--no-browser", "--dir", "work", "--port", "0"),
    ("demo", "--", "--ServerApp.open_browser=False"),
]
SERVE = ("serve", "--port", "0", "--form", "report.json")
WORDS = (*OTHERS, *CHECK, *REPORT, *HISTORY, *RISK, RECORD, SERVE)


def test_no_option_is_forgotten() -> None:
    """Each option of each command is in one of the lists below and above."""
    tried = {(words[0], word) for words in WORDS for word in words}
    tried |= {("balance", word) for words in BALANCE for word in words}
    (commands,) = (a for a in build_parser()._actions if isinstance(a.choices, dict))
    assert isinstance(commands.choices, dict)
    for name, parser in commands.choices.items():
        for action in parser._actions:
            if action.option_strings and action.dest != "help":
                assert {(name, option) for option in action.option_strings} <= tried


def test_no_command_takes_a_secret() -> None:
    """Neither the command line's nor the magic's options: others could read them there."""
    (commands,) = (a for a in build_parser()._actions if isinstance(a.choices, dict))
    assert isinstance(commands.choices, dict)
    parsers = {**commands.choices, "": build_parser(), "%kis": KisMagic()._parser}
    for name, parser in parsers.items():
        taken = {
            word for action in parser._actions for word in (*action.option_strings, action.dest)
        }
        assert not {word for word in taken if re.search("key|secret|token|pass|pwd", word)}
        for option in ("--app-key", "--app-secret", "--token"):
            for words in ([option, "x"], [f"{option}=x"]):
                with pytest.raises(UsageProblem, match="never given here"):
                    parser.parse([*([] if name else ["balance"]), *words])


def test_every_way_to_pull_by_command_is_clean(face: Face) -> None:
    """Each format, block, language and code, to the terminal and to files."""
    with ThreadPoolExecutor(2) as pool:
        runs = list(pool.map(lambda more: face.run(*COMMAND, "balance", *more), BALANCE))
    assert [run.returncode for run in runs] == [0] * len(BALANCE), runs
    assert all(b"urllib3" in run.stderr for run in runs), "no log at DEBUG"
    assert sum(b"800*****" in run.stdout for run in runs) >= 8
    face.search(runs)
    assert len(list(face.home.glob("kept.*"))) == 3
    assert not face.children()


def test_every_estimate_by_command_is_clean(face: Face) -> None:
    """Each format and block, to the terminal and to files; also when everything but the balance is
    refused by a service that repeats what it was sent.
    """
    with ThreadPoolExecutor(2) as pool:
        runs = list(pool.map(lambda words: face.run(*COMMAND, *words), RISK))
    said = f"{APP_KEY} {APP_SECRET} CANO=80012345"
    echo = {"rt_cd": "1", "msg_cd": "OPSQ2000", "msg1": said, APP_SECRET: said}
    for call in ("quote", "margin", "rates"):
        face.broker.fault(status=200, body=echo, call=call, times=None)
    runs += [face.run(*COMMAND, *words) for words in RISK[:3]]
    assert [run.returncode for run in runs] == [0] * len(runs), runs
    assert b"OPSQ2000" in runs[-1].stdout
    face.search(runs)
    assert not face.children()


def test_the_check_and_its_report_are_clean(face: Face) -> None:
    """Every line, and the reports themselves, which are made to be sent to strangers; also of a
    service that repeats what it was sent. The lister of fonts gets no credentials.
    """
    runs = [face.run(*COMMAND, *words) for words in CHECK]
    assert [run.returncode for run in runs] == [0] * len(CHECK), runs
    said = f"{APP_KEY} {APP_SECRET} CANO=80012345"
    echo = {"rt_cd": APP_KEY, "msg_cd": "80012345", "msg1": said, APP_SECRET: said, "output1": said}
    face.broker.fault(status=500, headers={APP_KEY: said}, body=echo, times=None)
    runs.append(face.run(*COMMAND, "check", "--report", "echo.json"))
    face.broker.clear_faults()
    face.broker.fault(status=403, body={"error_code": said, said: said}, call="token", times=None)
    for store in (face.home / "cache").glob("token-*.json"):
        store.unlink()
    runs.append(face.run(*COMMAND, "check", "--report", "token.json"))
    assert [run.returncode for run in runs[-2:]] == [1, 1]
    face.search(runs)
    reports = {path.name: path.read_text("utf-8") for path in face.home.glob("*.json")}
    assert len(reports) == 5
    for name, text in reports.items():
        Search(APP_KEY, APP_SECRET).look(text, name)
        assert "800**" not in text
        assert "hedge" not in text
        assert json.loads(text)["kis_nb_report"] == 1
    Search(APP_KEY, APP_SECRET).look(face.children(), "a child's environment")


def ended_after_a_line(face: Face, words: Sequence[str]) -> subprocess.CompletedProcess[bytes]:
    """A command that runs until it is told to end, told so once it has said something."""
    with subprocess.Popen(
        [sys.executable, *COMMAND, *words],
        env=face.environment,
        cwd=face.home,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        watchdog = threading.Timer(LIMIT, process.kill)
        watchdog.start()
        assert process.stdout is not None
        first = process.stdout.readline()
        process.terminate()
        out, err = process.communicate()
        watchdog.cancel()
    return subprocess.CompletedProcess(process.args, process.returncode, first + out, err)


def test_a_history_is_clean(face: Face) -> None:
    """The recorder's lines, the files that it writes and their names, what is shown of them, and
    what is filled: pseudonyms and masked labels alone. The key of the pseudonyms is in its file.
    """
    with kis_nb.connect(
        app_key=APP_KEY, app_secret=APP_SECRET, accounts=[ACCOUNT], base_url=face.broker.address
    ) as client:
        key = face.home / "history.key"
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("KIS_NB_HISTORY_KEY", str(key))
            kis_nb.history(face.home / "kept").append(client.balance())
    face.environment["KIS_NB_HISTORY_KEY"] = str(key)
    runs = [ended_after_a_line(face, words) for words in (RECORD, HISTORY[-1])]
    runs += [face.run(*COMMAND, *words) for words in HISTORY[:-1]]
    assert [run.returncode for run in runs] == [0] * len(runs), runs
    assert all(b"800*****-03" in run.stdout for run in runs[2:5]), runs
    face.search(runs)
    secret = key.read_text("utf-8").strip()
    for run in runs:
        assert secret.encode() not in run.stdout + run.stderr
    for path in (face.home / "kept").rglob("*"):
        assert not path.is_file() or secret.encode() not in path.read_bytes()


FAILING = """
import kis_nb
client = kis_nb.connect(demo=demo, retries=0)
try:
    client.balance(account, excc_stat_cd="2")
except kis_nb.KisError as error:
    print(error, repr(error.partial))
client.balance(account)
print(client, vars(client), account)
client.balance("99912345-03")
"""


def test_reports_are_clean(face: Face) -> None:
    """Page, PDF and notebook of the customer's own account: also when pulls are refused by a
    service that repeats what it was sent. The kernel alone gets the credentials, and none in the
    demo.
    """
    texts = ("demo = True\naccount = None\nsize = 1", FAILING)
    cells = [nbformat.v4.new_code_cell(text) for text in texts]
    cells[0].metadata["tags"] = ["parameters"]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), face.home / "failing.ipynb")
    runs = [face.run(*COMMAND, *REPORT[0])]
    said = f"{APP_KEY} {APP_SECRET} CANO=80012345"
    echo = {"rt_cd": "1", "msg_cd": "OPSQ2000", "msg1": said, APP_SECRET: said}
    face.broker.fault(status=200, body=echo, page=2, times=None)
    with ThreadPoolExecutor(2) as pool:
        runs += pool.map(lambda words: face.run(*COMMAND, *words), REPORT[1:])
    # In the demo the pull of its own broker ends well, and that of an unknown account does not.
    assert [run.returncode for run in runs] == [0] + [1] * (len(REPORT) - 1), runs
    face.search(runs)
    kernels = 0
    for command, environment in map(json.loads, face.children().splitlines()):
        Search(APP_KEY, APP_SECRET).look(" ".join(command), "a command line")
        kernels += "ipykernel_launcher" in command
        # A kernel, and what it starts itself.
        if "KIS_NB_FAILURES" not in environment or "KIS_NB_DEMO" in environment:
            Search(APP_KEY, APP_SECRET).look(str(environment), f"the environment of {command}")
    assert kernels == len(REPORT)
    assert "45 rows" in (face.home / "plain.html").read_text("utf-8")
    for name in ("out.html", "out.ipynb"):
        assert "OPSQ2000" in (face.home / name).read_text("utf-8")
    assert "DEMO" in (face.home / "demo.html").read_text("utf-8")
    # A PDF's content is compressed, piece by piece.
    content = (face.home / "out.pdf").read_bytes()
    pieces = re.findall(rb"stream\r?\n(.*?)endstream", content, re.DOTALL)
    assert len(pieces) > 3
    for piece in pieces:
        with contextlib.suppress(zlib.error):
            text = zlib.decompressobj().decompress(piece).decode("latin-1")
            Search(APP_KEY, APP_SECRET).look(text, "the PDF")


# Words, and what is different about the environment.
REFUSED: list[tuple[tuple[str, ...], dict[str, str]]] = [
    (("balance", "--app-secret", "x"), {}),
    (("balance", "--nothing"), {}),
    (("balance", "--mgna-dvsn", "03"), {}),
    (("balance", "99912-03"), {}),
    (("balance", "--output", "none/here.csv"), {}),
    (("balance",), {"KIS_APP_SECRET": ""}),
    (("balance",), {"KIS_ACCOUNTS": f"{ACCOUNT}9"}),
    (("balance", "99912345-03"), {"KIS_NB_CACHE_DIR": "/dev/null/x"}),
    (("balance",), {"KIS_BASE_URL": "http://example.test"}),
    (("balance",), {"KIS_CONFIG": "bad.yaml", "KIS_APP_KEY": "", "KIS_APP_SECRET": ""}),
    (("report", "quickstart", "99912-03", "--output", "none.html"), {}),
    (("report", "quickstart", "--output", "none.html", "-p", "account=99912345-03"), {}),
    (("report", "quickstart", "--output", "none.html", "-p", "mgna_dvsn=99912345-03"), {}),
    (("report", "nothing", "--output", "none.html"), {}),
    (("new", "nothing"), {}),
    (("new",), {}),
    ((), {}),
]


def test_every_refused_command_is_clean(face: Face) -> None:
    """Lines, environments and files that do not fit."""
    (face.home / "bad.yaml").write_text(f"prod: {'x' * 9}\nmy_app: A\nmy_sec: B\n", "utf-8")
    with ThreadPoolExecutor(2) as pool:
        runs = list(pool.map(lambda one: face.run(*COMMAND, *one[0], **one[1]), REFUSED))
    assert all(run.returncode in (1, 2) for run in runs), runs
    assert all(b"kis-nb: " in run.stderr for run in runs)
    face.search(runs)


# Of each kind one: what is waited out would be waited out in real time here.
KINDS = ("EGW00103", "EGW00105 at the token call", "EGW00123", "APMP0001", "OPSQ2000")


@pytest.mark.parametrize("name", KINDS)
def test_every_refusal_by_kis_is_clean(face: Face, name: str) -> None:
    """At the command line, whose message repeats what KIS said."""
    fault = WIRE[name]
    assert isinstance(fault.body, bytes)
    said = f"{APP_KEY} {APP_SECRET} CANO=80012345"
    echo = {**json.loads(fault.body), "msg1": said, "error_description": said}
    face.broker.fault(fault.at(None, call=fault.call, times=None))
    runs = [face.run(*COMMAND, "balance")]
    face.broker.clear_faults()
    face.broker.fault(status=fault.status, body=echo, call=fault.call, times=None)
    runs.append(face.run(*COMMAND, "balance"))
    assert [run.returncode for run in runs] == [1, 1]
    face.search(runs)


def test_other_commands_are_clean_and_hand_no_credentials_on(face: Face) -> None:
    """new, help and version; and demo, whose JupyterLab does not see the customer's key."""
    runs = [face.run(*COMMAND, *words) for words in OTHERS]
    assert [run.returncode for run in runs] == [0] * len(OTHERS), runs
    assert b"KIS_NB_DEMO" in runs[-1].stdout
    face.search(runs)
    assert "jupyterlab" in face.children()
    Search(APP_KEY, APP_SECRET).look(face.children(), "a child's environment")


def test_the_broker_alone_is_clean(face: Face) -> None:
    """`kis-nb serve` prints its own broker's key, and nothing of the customer's."""
    assert face.run(*COMMAND, "check", "--report", SERVE[-1]).returncode == 0
    with subprocess.Popen(
        [sys.executable, *COMMAND, *SERVE],
        env=face.environment,
        cwd=face.home,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        watchdog = threading.Timer(LIMIT, process.kill)
        watchdog.start()
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(4)]
        process.terminate()
        out, err = process.communicate()
        watchdog.cancel()
    assert lines[1].startswith(b"app_key: "), err
    # The largest of the invented accounts, which is the tests' own, is what it is there to print.
    out = b"".join(lines[:3]) + out
    run = subprocess.CompletedProcess(process.args, process.returncode, out, err)
    assert run.returncode == 0
    face.search([run])


CELLS = """%load_ext kis_nb
%kis
%kis 800*****-03 --mgna-dvsn 02 --excc-stat-cd 2
%kis --demo
balance = %kis
balance.positions
balance.summary
balance.relabel("en").positions.to_dicts()
d = %kis --dashboard
print(d, d.get_state())
d.close()
%kis --mgna-dvsn 03
%kis --app-key x
%kis?
%xmode Verbose
%kis 9991234503
client = kis_nb.connect(retries=0)
client, vars(client), client._settings, client._first.gateway, vars(client._first.gateway)
client._first.http, client._keys, client.names
client.balance(mgna_dvsn="03")
client.balance("99912345-03")
client.balances(["99912345-03", *client.accounts])
kis_nb.connect(base_url="http://example.test")
kis_nb.connect(custtype="B")
pickle.dumps(client)
copy.deepcopy(client)
%whos
%tb
"""
SHELL = """
import sys
from IPython.core.interactiveshell import InteractiveShell

shell = InteractiveShell.instance()
shell.run_cell("import copy, pickle, kis_nb")
for line in sys.stdin.read().splitlines():
    print(shell.run_cell(line))
"""


def test_ipython_is_clean(face: Face) -> None:
    """The magic, reprs of all we make, and failures under %xmode Verbose, which shows locals."""
    run = face.run("-c", SHELL, text=CELLS)
    assert run.returncode == 0, run.stderr
    shown = run.stdout.decode() + run.stderr.decode()
    for there in ("<Balance 800*****-03", "UsageError", "OPSQ2000", "ConfigError", "not pickled"):
        assert there in shown
    face.search([run])
    assert not face.children()


@pytest.mark.parametrize("path", sorted((TOP / "notebooks").glob("*.ipynb")), ids=lambda p: p.stem)
def test_every_notebook_on_ones_own_account_is_clean(face: Face, path: Path) -> None:
    """Executed by papermill with the customer's credentials, not the demo's, and saved with the
    charts' pictures or the dashboard's head.
    """
    watch_kernels(face.home / "ipython")
    run = face.run(
        *("-m", "papermill", str(path), "saved.ipynb", "-p", "demo", "False", "-k", "python3")
    )
    assert run.returncode == 0, run.stderr.decode()[-3000:]
    face.search([run])
    pulled = [call for call in face.broker.calls if "authorization" in call.headers]
    assert pulled, "the notebook did not use these credentials"
    saved = (face.home / "saved.ipynb").read_text("utf-8")
    assert ("저장된 화면입니다" if path.stem == "dashboard" else "data:image/svg+xml") in saved


def test_a_witness_sees_what_leaks(face: Face) -> None:
    """A suite that could not fail would prove nothing: a log, a file, a child's environment."""
    leaky = (
        "import logging, os, subprocess, sys; logging.getLogger('x.y').debug('%s', os.environ);"
        "subprocess.run([sys.executable, '-c', ''])"
    )
    run = face.run("-c", leaky)
    with pytest.raises(AssertionError, match="shows in stderr"):
        face.search([run])
    with pytest.raises(AssertionError, match="shows in a child"):
        Search(APP_KEY, APP_SECRET).look(face.children(), "a child's environment")
    clean = face.run("-c", "")
    (face.home / "left.txt").write_text(APP_KEY, "utf-8")
    with pytest.raises(AssertionError, match=r"shows in left\.txt"):
        face.search([clean])
