"""The command line ``kis-nb``: demo, serve, balance, risk, report, record, history, new,
check.

Exit codes: 0 done, 1 it failed, 2 the line cannot be understood, 130 Ctrl-C, 141 the reader of a
pipe closed it.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Sequence
from importlib import metadata

from kis_nb._cli import arguments, commands, history, lab, risk
from kis_nb._cli.parser import build_parser
from kis_nb._errors import KisError


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: the words after ``kis-nb``; those of the process when left out.

    Returns:
        The exit code.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _show_warning
            warnings.simplefilter("default", UserWarning)  # shown, whatever PYTHONWARNINGS says
            code = _run(words)
        # Here and not at the interpreter's end, so that a full disk or a closed pipe is reported.
        sys.stdout.flush()
    except arguments.UsageProblem as problem:
        return _fail(problem, 2)
    except BrokenPipeError:
        # What is still buffered is discarded instead of failing again at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except FileExistsError as error:
        return _fail(f"{error.filename}: is there already; nothing was written", 1)
    except OSError as error:
        reason = error.strerror or str(error)
        return _fail(f"{error.filename}: {reason}" if error.filename else reason, 1)
    except KisError as error:
        return _fail(error, 1)
    except KeyboardInterrupt:
        # What libraries leave half made is no user's business, and Python says it at the very end.
        warnings.filterwarnings("ignore", "coroutine .* was never awaited", RuntimeWarning)
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
    args = build_parser().parse(words)
    if args.version:
        sys.stdout.write(f"kis-nb {metadata.version('kis_nb')}\n")
        return 0
    if args.command == "demo":
        return lab.demo(port=args.port, browser=args.browser, folder=args.dir, lab_args=lab_args)
    if args.command == "serve":
        return commands.serve(args.port, args.form)
    if args.command == "balance":
        return commands.balance(args)
    if args.command == "risk":
        return risk.show(args, args.lang or commands.terminal_lang())
    if args.command == "report":
        from kis_nb._cli.report.command import report  # not needed by the other commands

        return report(args, commands.terminal_lang())
    if args.command == "record":
        return history.record(args, args.lang or commands.terminal_lang())
    if args.command == "history":
        return history.show(args, args.lang or commands.terminal_lang())
    if args.command == "new":
        return commands.new(args)
    if args.command == "check":
        return commands.check(args)
    raise arguments.UsageProblem(
        "say what to do: demo, serve, balance, risk, report, record, history, new or check "
        "(see --help)"
    )
