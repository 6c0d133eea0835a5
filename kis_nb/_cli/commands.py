"""The commands ``serve``, ``balance``, ``new`` and ``check``: each returns its exit code."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from kis_nb._choices import Lang
from kis_nb._cli import arguments, export, templates
from kis_nb._cli.connecting import connected
from kis_nb._cli.signals import on_termination

if TYPE_CHECKING:
    from kis_nb._frames.balance import Balance

_MARKS = {"ok": "✓", "note": "!", "wrong": "✗"}
_ASCII_MARKS = {"ok": "+", "note": "!", "wrong": "x"}


def serve(port: int, form: Path | None) -> int:
    """Run the embedded broker until a termination signal comes.

    Args:
        port: where it listens; 0 is any free one.
        form: a report of ``kis-nb check --report``, in whose form it answers.
    """
    from kis_nb._cli.check import answer_form
    from kis_nb.demo import Broker  # not needed by the other commands

    shape = None if form is None else answer_form.read(form)
    stop = threading.Event()
    with on_termination(lambda *_: stop.set()), Broker(port=port, form=shape) as broker:
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


def balance(args: argparse.Namespace) -> int:
    """Pull an account and print it, or write it to a file.

    Raises:
        UsageProblem: the arguments contradict each other, or name no account.
        OSError: the file exists and ``--force`` was not given, or its folder does not exist.
    """
    form = export.chosen_format(args.format, args.output, export.ENDINGS)
    to_terminal = args.output is None and sys.stdout.isatty()
    if form in export.BINARY and to_terminal:
        raise arguments.UsageProblem(f"{form} is not for a terminal: add --output FILE, or pipe it")
    # Checked before the pull, which takes a while; `save` checks again.
    if args.output:
        export.check_target(args.output, overwrite=args.force)
    pulled = _pull(args)
    content = export.export(
        pulled,
        form,
        blocks=[args.block] if args.block else [],
        lang=args.lang or terminal_lang(),
        # COLUMNS counts first; a terminal of unknown width, or 0, shows every column.
        width=shutil.get_terminal_size((0, 0)).columns or None if to_terminal else None,
    )
    if pulled.demo and form in ("csv", "parquet"):  # the other formats hold it
        sys.stderr.write("kis-nb: DEMO: these accounts are invented\n")
    if args.output:
        export.save(args.output, content, overwrite=args.force)
    else:
        # As bytes: a file or pipe gets UTF-8 and the same line ends whatever the locale says.
        sys.stdout.flush()
        sys.stdout.buffer.write(content)
    return 0


def check(args: argparse.Namespace) -> int:
    """Check the set-up and print a line for each step; 1 when a step is wrong.

    Raises:
        OSError: the report's file exists and ``--force`` was not given, or its folder does not
            exist.
    """
    if args.report:
        export.check_target(args.report, overwrite=args.force)
    from kis_nb._cli.check.check import Check  # not needed by the other commands

    checks = Check(args.account, demo=args.demo, lang=args.lang or terminal_lang())
    encoding = (sys.stdout.isatty() and sys.stdout.encoding) or "utf-8"
    marks = _MARKS
    try:
        "".join(marks.values()).encode(encoding)
    except UnicodeEncodeError:
        marks = _ASCII_MARKS
    wrong = False
    for result in checks.run():
        wrong = wrong or result.mark == "wrong"
        line = f"{marks[result.mark]} {result.step:8}  {result.text}\n"
        sys.stdout.flush()
        sys.stdout.buffer.write(line.encode(encoding, "replace"))
        sys.stdout.buffer.flush()
    if args.report:
        export.save(args.report, checks.report(), overwrite=args.force)
    return 1 if wrong else 0


def _pull(args: argparse.Namespace) -> Balance:
    with connected("balance", demo=args.demo) as client:
        account = args.account
        if account is None and client.demo:
            account = client.accounts[0]
        try:
            return client.balance(account, mgna_dvsn=args.mgna_dvsn, excc_stat_cd=args.excc_stat_cd)
        except ValueError as error:
            raise arguments.UsageProblem(str(error)) from None


def terminal_lang() -> Lang:
    """The language of the environment's messages, Korean or else English."""
    names = ("LC_ALL", "LC_MESSAGES", "LANG")
    chosen = next((os.environ[name] for name in names if os.environ.get(name)), "")
    return "ko" if chosen.startswith("ko") else "en"


def new(args: argparse.Namespace) -> int:
    """Copy a notebook template and print the new file's path, or list the templates.

    Raises:
        UsageProblem: no template was named.
        ConfigError: no template has the name.
        FileExistsError: the file exists.
    """
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
