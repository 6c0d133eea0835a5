"""What the Risk tab estimates, and how: a `Risk` of a balance, and the quotes that it may reuse."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from kis_nb._account import Account, account_labels

if TYPE_CHECKING:
    import polars as pl

    from kis_nb._client import Client
    from kis_nb._frames.balance import Balance
    from kis_nb._risk.risk import Risk

# Quotes of options are one call each, and KIS's Greeks beside ours may be as old as this.
_QUOTES_LAST = timedelta(seconds=60)


@dataclass(frozen=True, eq=False)
class Subject:
    """What is estimated; another object for every other balance.

    Attributes:
        balance: on display.
        maintenance: the pull with MGNA_DVSN 02 that it may be compared with; None without one.
        cancel: stops its calls.
    """

    balance: Balance
    maintenance: Balance | None
    cancel: threading.Event = field(default_factory=threading.Event)


class Estimate(NamedTuple):
    """An estimate.

    Attributes:
        subject: of what.
        risk: the figures.
        step: how much of the market is in it: 0 nothing, 1 forwards, 2 options and margin too.
    """

    subject: Subject
    risk: Risk
    step: int

    @property
    def account(self) -> Account:
        """Whose figures these are."""
        return self.subject.balance.account


# Makes a `Risk` of a subject: with the market's forwards when there is a client.
Make: TypeAlias = "Callable[[Subject, Client | None, pl.DataFrame | None], Risk]"


def make_risk(subject: Subject, client: Client | None, quotes: pl.DataFrame | None) -> Risk:
    """The estimate of a subject, as `kis_nb.risk` makes it.

    Args:
        subject: the balance on display is what is priced, however late its maintenance pull was.
        client: what to ask for the quotes of futures; None asks nothing.
        quotes: of options, known from before.

    Raises:
        ImportError: QuantLib is not installed.
        Cancelled: the subject's event was set.
    """
    from kis_nb._risk.inputs import Inputs
    from kis_nb._risk.pricing import require
    from kis_nb._risk.risk import Risk

    require()
    balance, other = subject.balance, subject.maintenance
    others = [] if other is None or other is balance else [other]
    label = (
        account_labels([balance.account])[balance.account]
        if client is None
        else client.label_of(balance.account)
    )
    inputs = Inputs(balance, others, client, subject.cancel, quotes)
    return Risk(inputs, None, 0.0, label, option_quotes=False)


class OptionQuotes:
    """The quotes of one account's options that were asked for last."""

    def __init__(self) -> None:
        self._kept: tuple[Account, pl.DataFrame] | None = None

    def of(self, balance: Balance) -> pl.DataFrame | None:
        """Those of this balance's account; None without any, or when they are too old for it."""
        kept = self._kept
        if kept is None or kept[0] != balance.account:
            return None
        latest: Any = kept[1]["as_of"].max()
        return kept[1] if balance.as_of - latest < _QUOTES_LAST else None

    def keep(self, balance: Balance, quotes: pl.DataFrame | None) -> None:
        """Keep the options' quotes among these for the next balances of the account."""
        import polars as pl

        options = None if quotes is None else quotes.filter(pl.col("strike").is_not_null())
        if options is not None and options.height:
            self._kept = balance.account, options
