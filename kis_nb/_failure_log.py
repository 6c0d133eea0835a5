"""A file in which pulls note how they failed, so that `kis-nb report` learns of every one.

A notebook may catch an error, and `Client.balances` collects them: neither shows in a cell that
ended well. Nothing is written unless the environment variable ``KIS_NB_FAILURES`` names a file,
which the report's kernel alone is given.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from kis_nb._codes import View
from kis_nb._errors import Cancelled, KisError

VARIABLE = "KIS_NB_FAILURES"


@dataclass(frozen=True, slots=True)
class FailedPull:
    """A pull that ended with an error. No attribute holds a secret or a whole account number.

    Attributes:
        account: the masked label of the account.
        mgna_dvsn: the margin code that was sent; "" for a call that takes none.
        excc_stat_cd: the basis code that was sent; "" for a call that takes none.
        error: the name of the error's class.
        message: the error's message.
        rows: how many positions had been read; None when no page had.
    """

    account: str
    mgna_dvsn: str
    excc_stat_cd: str
    error: str
    message: str
    rows: int | None


def note(view: View | None, label: str, error: KisError) -> None:
    """Append a failed pull to the file, if there is one. A cancelled pull has not failed.

    Args:
        view: what was pulled; None for another call than the balance.
        label: the masked label of its account.
        error: how it ended.

    Raises:
        OSError: the file cannot be written.
    """
    path = os.environ.get(VARIABLE)
    if not path or isinstance(error, Cancelled):
        return
    failed = FailedPull(
        account=label,
        mgna_dvsn=view[1].value if view else "",
        excc_stat_cd=view[2].value if view else "",
        error=type(error).__name__,
        message=str(error),
        rows=None if error.partial is None else error.partial.positions.height,
    )
    line = json.dumps(asdict(failed), ensure_ascii=False) + "\n"
    # One write in append mode: lines of several threads and processes do not mix. The file is made
    # by the report, for its owner alone; it is not made here.
    handle = os.open(path, os.O_WRONLY | os.O_APPEND)
    try:
        os.write(handle, line.encode())
    finally:
        os.close(handle)


def read(path: Path) -> list[FailedPull]:
    """The failed pulls that a file holds, in their order.

    Raises:
        OSError: the file cannot be read.
    """
    return [FailedPull(**json.loads(line)) for line in path.read_text("utf-8").splitlines()]
