"""`Failure`: a pull that raised an error while others went on."""

from __future__ import annotations

from dataclasses import dataclass

from kis_nb._account import Account
from kis_nb._codes import Basis, Margin
from kis_nb._errors import KisError


@dataclass(frozen=True, slots=True)
class Failure:
    """A pull that raised an error while others went on.

    Attributes:
        account: the account that was asked for, shown masked.
        mgna_dvsn: the margin code that was sent.
        excc_stat_cd: the basis code that was sent.
        error: the error; its `partial` holds what was read before it.
    """

    account: Account
    mgna_dvsn: Margin
    excc_stat_cd: Basis
    error: KisError
