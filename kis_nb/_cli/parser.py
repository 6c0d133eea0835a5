"""The parser of the command line, with the help texts."""

from __future__ import annotations

from pathlib import Path

from kis_nb._cli import arguments, export

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


def build_parser() -> arguments.Parser:
    """The parser of ``kis-nb`` with its five commands; ``command`` of its result is one of them."""
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
