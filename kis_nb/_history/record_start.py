"""The start of a recorder: what it is given is checked before anything is pulled."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from datetime import datetime, time
from itertools import product
from pathlib import Path

from kis_nb._account import Account
from kis_nb._choices import Lang
from kis_nb._client import Client, several
from kis_nb._codes import Basis, BasisLike, Margin, MarginLike
from kis_nb._files import process_lock
from kis_nb._history.protocols import Store
from kis_nb._history.record_lines import Lines, NoLines, StreamLines
from kis_nb._history.record_says import Says
from kis_nb._history.recorder import Recorder
from kis_nb._history.recording import Recording
from kis_nb._history.schedule import period

# In the history's folder; held by a recorder.
_MARK = ".recorder.lock"


def chosen_accounts(
    client: Client, accounts: Iterable[str | Account] | str | Account | None
) -> list[Account]:
    """The accounts that the user means; all of the client's for None.

    Raises:
        ValueError: one does not fit, or there is none.
    """
    # A text is one account, never its characters.
    named = [accounts] if isinstance(accounts, str | Account) else accounts
    found = list(client.accounts) if named is None else [client.find_account(one) for one in named]
    accounts = named = None
    chosen: list[Account] = []
    for one in found:
        if isinstance(one, ValueError):
            raise one
        chosen.append(one)
    if not chosen:
        raise ValueError("no account: pass accounts, or set KIS_ACCOUNTS")
    return list(dict.fromkeys(chosen))


def start_recorder(
    store: Store,
    check: Callable[[], None],
    root: Path | None,
    client: Client,
    every: float,
    *,
    until: time | datetime | str | None,
    accounts: Iterable[str | Account] | str | Account | None,
    margins: MarginLike | Sequence[MarginLike],
    bases: BasisLike | Sequence[BasisLike],
    lang: Lang,
    lines: Lines | bool,
    stop: threading.Event,
) -> Recording:
    """Check the arguments of `History.record`, and record.

    Args:
        check: refuses accounts that do not belong into the history; called once all else is right,
            since it begins an empty one.

    Raises:
        ValueError, HistoryError: as `History.record`.
    """
    chosen = chosen_accounts(client, accounts)
    accounts = None
    if not 1 <= every <= 86_400:
        raise ValueError("every takes 1 to 86400 seconds")
    if isinstance(until, str):
        until = time.fromisoformat(until)
    views = list(
        product(
            chosen,
            dict.fromkeys(Margin(code) for code in several(margins)),
            dict.fromkeys(Basis(code) for code in several(bases)),
        )
    )
    clock = client.clock
    if isinstance(lines, bool):
        lines = StreamLines(sys.stderr, clock) if lines else NoLines()
    says = Says(lines, lang)
    when = period(clock.time(), until)
    check()
    recorder = Recorder(store, client, views, every, says)
    with ExitStack() as held:
        if root is not None:
            try:
                # Says that a recorder is at work here; it keeps nobody out.
                held.enter_context(process_lock(root / _MARK, timeout=0))
            except TimeoutError:
                says.other_recorder()
            except OSError:
                # A disk without locks.
                pass
        return recorder.run(when, stop)
