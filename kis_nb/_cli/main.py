"""The command line: ``kis-nb demo | serve | balance | new | check``.

A face: imports `_args`, `_export`, `_lab` and, once a command needs them, `_check`, `_client`,
`_report` and `demo`.
Exit codes: 0 done, 1 it failed, 2 the line cannot be understood, 130 Ctrl-C, 141 the reader of a
pipe went away.
"""

from __future__ import annotations

import argparse
import errno
import os
import shutil
import sys
import threading
import warnings
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from kis_nb._cli import arguments, export, lab, templates
from kis_nb._cli.signals import on_end
from kis_nb._codes import Lang
from kis_nb._errors import KisError

if TYPE_CHECKING:
    from kis_nb._frames.balance import Balance

_ABOUT = "Korean night futures and options accounts at KIS: look at them, keep them, try it out."
_MORE = """\
Start here: kis-nb demo        (needs no key)
Each command explains itself: kis-nb balance --help
"""
_DEMO = """\
examples:
  kis-nb demo
  kis-nb demo --dir my-dashboard             keep the notebook
  kis-nb demo --no-browser --port 8899
  kis-nb demo -- --ServerApp.open_browser=False     hand the rest on to JupyterLab

Ctrl-C ends JupyterLab and its kernels. Without --dir the work folder is removed then.
"""
_SERVE = """\
Prints the address, then a fresh app key and secret and the account that they are for, the largest
account first; then serves until Ctrl-C. As at KIS, a key is good for its own account only. Any KIS
client can be pointed at it:

  kis-nb serve --port 8765
  address: http://127.0.0.1:8765
  app_key: …
  app_secret: …
  account: 80012345-03
  app_key: …
"""
_BALANCE = """\
The key comes from KIS_APP_KEY and KIS_APP_SECRET, its account from KIS_ACCOUNTS; a second account,
which has a key of its own, from KIS_APP_KEY_2, KIS_APP_SECRET_2 and KIS_ACCOUNTS_2 (and a name from
KIS_NAME_2), and so on; or all from ~/KIS/config/kis_devlp.yaml; never from this line.

examples:
  kis-nb balance --demo
  kis-nb balance 12345678-03 --mgna-dvsn 02 --excc-stat-cd 2
  kis-nb balance --format json | jq -r .summary.evlu_pfls_amt_smtl
  kis-nb balance --output positions.parquet
  kis-nb balance --block summary --format csv

FILE's ending names the format: .csv, .json, .parquet, .xlsx, or .txt for the table; another one
needs --format. Every digit is kept: amounts are text in json, digits in csv, Decimals in parquet;
xlsx has those that Excel would cut as text. A file is whole or not there, and only its owner may
read it. Account numbers are masked.
"""
_CHECK = """\
One line a step: ✓ it is right, ! worth knowing, ✗ something is wrong and what to do. The steps are
the settings and where they come from, the key's form, the token, each account in its four views
(MGNA_DVSN by EXCC_STAT_CD), the products, this computer's clock, JupyterLab, the widgets and a
Korean font. Exit code 1 when one is wrong.

If no token is stored, one is asked for, and KIS sends a message to your phone.

examples:
  kis-nb check
  kis-nb check --demo
  kis-nb check 12345678-03 --report kis-report.json

The report is for showing others how the service answered you: keys there and not there, how
figures are written (-9(7) for -1237500), pages, codes and times. No value is in it: no figure, no
name, no account, no key. kis-nb serve --form FILE answers in its form.
"""
_NEW = """\
examples:
  kis-nb new --list
  kis-nb new research                  research.ipynb here
  kis-nb new dashboard work/today      work/today.ipynb, or work/today/dashboard.ipynb

What is there is never overwritten.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and give its exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _show_warning
            warnings.simplefilter("default", UserWarning)  # told, whatever PYTHONWARNINGS says
            code = _run(words)
        # Here, where a full disk or a reader gone can still be told, not at the interpreter's end.
        sys.stdout.flush()
    except arguments.UsageProblem as problem:
        return _fail(problem, 2)
    except BrokenPipeError:
        # Whatever is still buffered goes nowhere instead of failing again at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except FileExistsError as error:
        return _fail(f"{error.filename}: is there already; nothing was written", 1)
    except OSError as error:
        said = error.strerror or str(error)
        return _fail(f"{error.filename}: {said}" if error.filename else said, 1)
    except KisError as error:
        return _fail(error, 1)
    except KeyboardInterrupt:
        return _fail("interrupted", 130)
    return code


def _fail(problem: object, code: int) -> int:
    sys.stderr.write(f"kis-nb: {' '.join(str(problem).split())}\n")
    return code


def _show_warning(message: Warning | str, *_where: object, **_more: object) -> None:
    """A warning as one line, without the source line that Python adds."""
    _fail(f"warning: {message}", 0)


def _run(words: list[str]) -> int:
    lab_args: list[str] = []
    if "--" in words and words[0] == "demo":
        cut = words.index("--")
        words, lab_args = words[:cut], words[cut + 1 :]
    args = _parser().read(words)
    if args.version:
        sys.stdout.write(f"kis-nb {metadata.version('kis_nb')}\n")
        return 0
    if args.command == "demo":
        return lab.demo(port=args.port, browser=args.browser, folder=args.dir, lab_args=lab_args)
    if args.command == "serve":
        return _serve(args.port, args.form)
    if args.command == "balance":
        return _balance(args)
    if args.command == "new":
        return _new(args)
    if args.command == "check":
        return _check(args)
    raise arguments.UsageProblem("say what to do: demo, serve, balance, new or check (see --help)")


def _parser() -> arguments.Parser:
    parser = arguments.Parser(prog="kis-nb", description=_ABOUT, epilog=_MORE)
    parser.add_argument("--version", action="store_true", help="print the version and leave")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")

    line = "open the dashboard in JupyterLab on the embedded broker"
    demo = commands.add_parser(
        "demo", help=line, description=f"{line[0].upper()}{line[1:]}.", epilog=_DEMO
    )
    demo.add_argument("--port", type=arguments.port, help="where JupyterLab listens")
    demo.add_argument(
        "--no-browser", dest="browser", action="store_false", help="print the address only"
    )
    demo.add_argument(
        "--dir", type=Path, help="work here and keep the notebook; one that is there is opened"
    )

    line = "run the embedded broker alone, for any KIS client"
    serve = commands.add_parser(
        "serve", help=line, description=f"{line[0].upper()}{line[1:]}.", epilog=_SERVE
    )
    serve.add_argument("--port", type=arguments.port, default=0, help="default: any free one")
    serve.add_argument(
        "--form", type=Path, metavar="FILE", help="answer as a report of check --report says"
    )

    line = "pull a whole account and print or keep it"
    balance = commands.add_parser(
        "balance", help=line, description=f"{line[0].upper()}{line[1:]}.", epilog=_BALANCE
    )
    arguments.add_pull(balance)
    balance.add_argument(
        "--format", choices=export.FORMATS, help="default: told by FILE's ending, else table"
    )
    balance.add_argument("--output", type=Path, metavar="FILE", help="write here, not to stdout")
    balance.add_argument("--force", action="store_true", help="overwrite FILE")
    balance.add_argument(
        "--block",
        choices=export.BLOCKS,
        help="only this one (csv, parquet and xlsx hold one: positions, unless told)",
    )
    balance.add_argument(
        "--lang", choices=("ko", "en"), help="labels of the table (default: as the terminal's)"
    )

    line = "copy a notebook template"
    new = commands.add_parser(
        "new", help=line, description=f"{line[0].upper()}{line[1:]}.", epilog=_NEW
    )
    new.add_argument("template", metavar="TEMPLATE", nargs="?", help="see --list")
    new.add_argument("path", metavar="PATH", nargs="?", type=Path, help="a file or a folder")
    new.add_argument("--list", action="store_true", help="name the templates")

    line = "go through the set-up step by step, and say what is wrong"
    check = commands.add_parser(
        "check", help=line, description=f"{line[0].upper()}{line[1:]}.", epilog=_CHECK
    )
    arguments.add_account(check)
    check.add_argument(
        "--report", type=Path, metavar="FILE", help="write how KIS answered, without any value"
    )
    check.add_argument("--force", action="store_true", help="overwrite FILE")
    check.add_argument("--lang", choices=("ko", "en"), help="default: as the terminal's")
    return parser


def _serve(port: int, form: Path | None) -> int:
    from kis_nb._cli import report
    from kis_nb.demo import Broker  # the other commands do without it

    shape = None if form is None else report.read(form)
    stop = threading.Event()
    with on_end(lambda *_: stop.set()), Broker(port=port, form=shape) as broker:
        lines = [
            f"address: {broker.address}",
            *(
                f"app_key: {app_key}\napp_secret: {app_secret}\naccount: {account}"
                for account, app_key, app_secret in broker.keys
            ),
        ]
        sys.stdout.write("".join(f"{line}\n" for line in lines))
        sys.stdout.flush()
        stop.wait()
    return 0


def _balance(args: argparse.Namespace) -> int:
    form = _format(args.format, args.output)
    to_terminal = args.output is None and sys.stdout.isatty()
    if form in export.BINARY and to_terminal:
        raise arguments.UsageProblem(f"{form} is not for a terminal: add --output FILE, or pipe it")
    # Before the pull, which takes a while; `save` looks again.
    if args.output and args.output.exists() and not args.force:
        raise FileExistsError(errno.EEXIST, "is there already", str(args.output))
    balance = _pull(args)
    content = export.export(
        balance,
        form,
        blocks=[args.block] if args.block else [],
        lang=args.lang or _terminal_lang(),
        # COLUMNS goes before; a terminal that tells no width, or 0, loses no column by it.
        width=shutil.get_terminal_size((0, 0)).columns or None if to_terminal else None,
    )
    if balance.demo and form in ("csv", "parquet"):  # the others say so themselves
        sys.stderr.write("kis-nb: DEMO: these accounts are invented\n")
    if args.output:
        export.save(args.output, content, overwrite=args.force)
    else:
        # As bytes: a file or pipe gets UTF-8 and the same line ends whatever the locale says.
        sys.stdout.flush()
        sys.stdout.buffer.write(content)
    return 0


def _format(given: export.Format | None, output: Path | None) -> export.Format:
    """The format that was asked for by name or by the file's ending.

    Raises:
        UsageProblem: the ending names another format, or none and nothing else does.
    """
    if output is None:
        return given or "table"
    told = export.ENDINGS.get(output.suffix.lower())
    if told is None and given is None:
        raise arguments.UsageProblem(
            f"--output names no format: end FILE with {', '.join(export.ENDINGS)}, or add --format"
        )
    if told is not None and given is not None and told != given:
        raise arguments.UsageProblem(
            f"--format {given} and a FILE that ends with {output.suffix.lower()} contradict each "
            "other: leave out --format, or change the ending"
        )
    return given or told or "table"


def _check(args: argparse.Namespace) -> int:
    if args.report and args.report.exists() and not args.force:
        raise FileExistsError(errno.EEXIST, "is there already", str(args.report))
    from kis_nb._cli.check.check import Check  # the other commands do without it

    check = Check(args.account, demo=args.demo, lang=args.lang or _terminal_lang())
    encoding = (sys.stdout.isatty() and sys.stdout.encoding) or "utf-8"
    marks = {"ok": "✓", "note": "!", "wrong": "✗"}
    try:
        "".join(marks.values()).encode(encoding)
    except UnicodeEncodeError:
        marks |= {"ok": "+", "wrong": "x"}
    wrong = False
    for result in check.run():
        wrong = wrong or result.mark == "wrong"
        line = f"{marks[result.mark]} {result.step:8}  {result.text}\n"
        sys.stdout.flush()
        sys.stdout.buffer.write(line.encode(encoding, "replace"))
        sys.stdout.buffer.flush()
    if args.report:
        export.save(args.report, check.report(), overwrite=args.force)
    return 1 if wrong else 0


def _pull(args: argparse.Namespace) -> Balance:
    from kis_nb._connect import connect  # the other commands do without polars and requests

    # Not `demo=args.demo`: without the option KIS_NB_DEMO decides.
    client = connect(demo=True) if args.demo else connect()
    with client:
        account = args.account
        if account is None and client.demo:
            account = client.accounts[0]
        try:
            return client.balance(account, mgna_dvsn=args.mgna_dvsn, excc_stat_cd=args.excc_stat_cd)
        except ValueError as error:
            raise arguments.UsageProblem(str(error)) from None


def _terminal_lang() -> Lang:
    """The language of the environment's messages, Korean or else English."""
    names = ("LC_ALL", "LC_MESSAGES", "LANG")
    chosen = next((os.environ[name] for name in names if os.environ.get(name)), "")
    return "ko" if chosen.startswith("ko") else "en"


def _new(args: argparse.Namespace) -> int:
    known = templates.templates()
    if args.list:
        widest = max(map(len, known), default=0)
        lines = [f"{name:{widest}}  {templates.title(item)}\n" for name, item in known.items()]
        sys.stdout.write("".join(lines))
        return 0
    if args.template is None:
        raise arguments.UsageProblem(f"name a template: {', '.join(known)}")
    sys.stdout.write(f"{templates.copy_template(args.template, args.path)}\n")
    return 0
