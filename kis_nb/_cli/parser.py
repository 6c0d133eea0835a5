"""The parser of the command line, with the help texts."""

from __future__ import annotations

import argparse
from pathlib import Path

from kis_nb._cli import arguments, export, history, risk

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

The ending of FILE names the format: .csv, .json, .parquet, .xlsx, or .txt for the table; any other
needs --format. Every digit is kept: amounts are text in json, digits in csv, Decimals in parquet;
in xlsx those of more than 15 digits are text, since Excel would cut them. A file is written whole
or not at all, and only its owner may read it. Account numbers are masked.
"""
_RISK = """\
Answers three questions in one sentence each: what a price 3 % lower with volatility up would cost,
at which level the margin call comes, and which position makes the loss. Below them are the
sensitivities by underlying and expiry, the levels of a margin call, and what is lacking or left
out. All of it is an estimate: each option is priced anew by Black-76 on the future of its expiry.

examples:
  kis-nb risk --demo
  kis-nb risk 12345678-03 --spot -3 --vol 20
  kis-nb risk --block scenarios --underlying "KOSPI 200" --output grid.csv
  kis-nb risk --block margin-components
  kis-nb risk --format json | jq .margin_call

A table without --block has answers, totals and the margin call, and one scenario with --spot or
--vol, which are of no other block; --block scenarios without them is the whole grid, now, at the
end of the night and at each expiry. Under the margin call stands how far the re-estimated margin is
from KIS's now; margin-components has it by component. json without --block has every block, and
scenarios only with --spot or --vol; csv has one block, and says on stderr what is left out,
lacking or of another moment. The ending of FILE names the format: .csv, .json, or .txt for the
table. It needs the extra risk: pip install "kis_nb[risk]".
"""
_CHECK = """\
One line a step: ✓ it is right, ! for information, ✗ something is wrong and what to do. The steps
are the settings and where they come from, the key's form, the token, each account in its four views
(MGNA_DVSN by EXCC_STAT_CD), the products, this computer's clock, JupyterLab, the widgets, charts as
pictures and a Korean font. Exit code 1 when one is wrong.

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
_REPORT = """\
Runs a notebook in a kernel of its own and writes what it shows, without code: one .html file that
opens anywhere and fetches nothing, a .pdf on A4 (printed by a Chromium, Chrome or Edge that is
installed), or the executed .ipynb. TEMPLATE is one of kis-nb new --list, or the path of a notebook
of your own; that one runs in its own folder.

examples:
  kis-nb report quickstart --demo --output today.html
  kis-nb report margin_monitor --output margin.pdf --lang ko
  kis-nb report research 12345678-03 --output research.html -p mgna_dvsn=02
  kis-nb report my-study.ipynb --output my-study.html --code

ACCOUNT goes into the notebook as its masked label, as the parameter account, or accounts for
several. -p sets any other parameter of the cell tagged parameters: as text where the notebook has
text (02 stays 02), else as YAML ([-5, 5], true, 3). The parameters demo and lang are set too, if
the notebook has them: templates run on your own accounts here, unless --demo is given.

When a cell or a pull fails, also one whose error the notebook caught, the report is written all the
same, says so at its top and where it happened, and the exit code is 1. A file is written whole or
not at all, and only its owner may read it.
"""
_RECORD = """\
Pulls every account at whole intervals while the night session is open (18:00 to 06:00 in Seoul, the
evenings of trading days) and keeps each answer in the folder PATH, as Parquet files. Started before
18:00 it waits. A pull that fails is noted and the next one is made at its time; what was missed,
from when to when and why, is said at the end. Ctrl-C or a termination signal ends it well: the pull
under way is kept. A later --until records the day too.

examples:
  kis-nb record --to nights
  kis-nb record --to nights --every 30 --mgna-dvsn both
  kis-nb record hedge 12345678-03 --to nights --until 15:45

Accounts are kept under pseudonyms; their key is a file of yours, see kis_nb.history.
"""
_HISTORY = """\
A line for each account and trading day: how many snapshots, the first and the last equity, what the
night brought, and the lowest room before a margin call (equity less maintenance margin; recorded
with MGNA_DVSN 02). A trading day begins at 18:00 of the evening before.

--fill-from fetches the closings of past days that were not recorded (CTFO6117R, CTFO6119R), each
once; they are marked as settlement.

examples:
  kis-nb history nights
  kis-nb history nights --since 2026-11-01 --format csv
  kis-nb history nights --fill-from 2026-01-02
"""


def build_parser() -> arguments.Parser:
    """The parser of ``kis-nb`` with its nine commands; its result's ``command`` is one of them."""
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
        "--form",
        type=Path,
        metavar="FILE",
        help="answer in the form of a report that check --report wrote",
    )

    line = "pull a whole account and print or keep it"
    balance = commands.add_parser(
        "balance", help=line, description=f"{line[0].upper()}{line[1:]}.", epilog=_BALANCE
    )
    _add_balance_arguments(balance)

    line = "estimate what moves of price and volatility would do to an account"
    estimated = commands.add_parser(
        "risk", help=line, description=f"{line[0].upper()}{line[1:]}.", epilog=_RISK
    )
    risk.add_risk_arguments(estimated)

    line = "run a notebook and write what it shows as one file"
    report = commands.add_parser(
        "report",
        help=line,
        description=f"{line[0].upper()}{line[1:]}.",
        epilog=_REPORT,
        usage="kis-nb report TEMPLATE [ACCOUNT ...] --output FILE [-p NAME=VALUE ...] [OPTIONS]",
    )
    report.add_argument("template", metavar="TEMPLATE", help="a template's name, or an .ipynb file")
    report.add_argument(
        "accounts",
        metavar="ACCOUNT",
        nargs="*",
        help="12345678-03, or the name or masked label of a configured account; directly after "
        "TEMPLATE",
    )
    report.add_argument(
        "--output", type=Path, metavar="FILE", required=True, help="FILE.html, .pdf or .ipynb"
    )
    report.add_argument("--force", action="store_true", help="overwrite FILE")
    report.add_argument(
        *("-p", "--parameter"),
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help="set a parameter of the notebook; may be repeated",
    )
    report.add_argument("--code", action="store_true", help="show the code too")
    report.add_argument(
        "--lang", choices=("ko", "en"), help="of the notebook, where it has a choice, and of notes"
    )
    arguments.add_demo_argument(report)

    line = "keep a night: pull at whole intervals, into files that any engine reads"
    record = commands.add_parser(
        "record", help=line, description=f"{line[0].upper()}{line[1:]}.", epilog=_RECORD
    )
    history.add_record_arguments(record)

    line = "show what was kept, a line a day, and fill past days"
    shown = commands.add_parser(
        "history", help=line, description=f"{line[0].upper()}{line[1:]}.", epilog=_HISTORY
    )
    history.add_history_arguments(shown)

    line = "copy a notebook template"
    new = commands.add_parser(
        "new", help=line, description=f"{line[0].upper()}{line[1:]}.", epilog=_NEW
    )
    new.add_argument("template", metavar="TEMPLATE", nargs="?", help="see --list")
    new.add_argument("path", metavar="PATH", nargs="?", type=Path, help="a file or a folder")
    new.add_argument("--list", action="store_true", help="list the templates")

    line = "go through the set-up step by step, and say what is wrong"
    check = commands.add_parser(
        "check", help=line, description=f"{line[0].upper()}{line[1:]}.", epilog=_CHECK
    )
    arguments.add_account_arguments(check)
    check.add_argument(
        "--report", type=Path, metavar="FILE", help="write how KIS answered, without any value"
    )
    check.add_argument("--force", action="store_true", help="overwrite FILE")
    check.add_argument("--lang", choices=("ko", "en"), help="default: as the terminal's")
    return parser


def _add_balance_arguments(balance: argparse.ArgumentParser) -> None:
    arguments.add_pull_arguments(balance)
    balance.add_argument(
        "--format", choices=export.FORMATS, help="default: from the ending of FILE, else table"
    )
    balance.add_argument("--output", type=Path, metavar="FILE", help="write here, not to stdout")
    balance.add_argument("--force", action="store_true", help="overwrite FILE")
    balance.add_argument(
        "--block",
        choices=export.BLOCKS,
        help="only this one (csv, parquet and xlsx hold one; default: positions)",
    )
    balance.add_argument(
        "--lang", choices=("ko", "en"), help="labels of the table (default: as the terminal's)"
    )
