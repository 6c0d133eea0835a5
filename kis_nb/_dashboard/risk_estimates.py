"""What the Risk tab estimates, and how: a `Risk` of a balance, and the quotes that it may reuse."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from kis_nb._account import Account, account_labels
from kis_nb._choices import Lang

if TYPE_CHECKING:
    import polars as pl

    from kis_nb._client import Client
    from kis_nb._frames.balance import Balance
    from kis_nb._risk.risk import Risk

# Quotes are one call each. KIS's Greeks beside ours, and a forward until it is asked for again, may
# be as old as this.
_QUOTES_LAST = timedelta(seconds=60)


@dataclass(frozen=True, eq=False)
class Subject:
    """What is estimated; another object for every other balance.

    Attributes:
        balance: on display.
        maintenance: the pull with MGNA_DVSN 02 that it may be compared with; None without one.
        cancel: stops its calls.
        number: higher for a later one.
    """

    balance: Balance
    maintenance: Balance | None
    cancel: threading.Event = field(default_factory=threading.Event)
    number: int = field(default_factory=count(1).__next__)

    @property
    def account(self) -> Account:
        """Whose balance it is."""
        return self.balance.account


class Estimate(NamedTuple):
    """An estimate.

    Attributes:
        subject: of what.
        risk: the figures.
        step: how much of the market is in it: 0 what was known, 1 forwards and all that figures and
            curves need, 2 margin by component too, 3 KIS's quotes of options too.
    """

    subject: Subject
    risk: Risk
    step: int

    @property
    def account(self) -> Account:
        """Whose figures these are."""
        return self.subject.account

    def key(self, underlying: str | None, lang: Lang) -> str:
        """A text for the figures of one underlying, another one when they differ."""
        return f"{self.subject.number}.{min(self.step, 1)} {underlying or ''} {lang}"

    def is_later(self, other: Estimate | None) -> bool:
        """Whether this is of a later balance than another one, or of the same with more in it."""
        return other is None or self.order > other.order

    @property
    def order(self) -> tuple[int, int]:
        """The higher one is shown."""
        return self.subject.number, self.step


# Makes a `Risk` of a subject: with the market's forwards when there is a client.
Make: TypeAlias = "Callable[[Subject, Client | None, pl.DataFrame | None], Risk]"


def make_risk(subject: Subject, client: Client | None, quotes: pl.DataFrame | None) -> Risk:
    """The estimate of a subject, as `kis_nb.risk` makes it.

    Args:
        subject: the balance on display is what is priced, however late its maintenance pull was.
        client: what to ask for the quotes of futures, the maintenance margin and the margin rates,
            so that drawing need not ask; None asks nothing.
        quotes: known from before.

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
    made = Risk(inputs, None, 0.0, label, option_quotes=False)
    inputs.views()
    inputs.margin_rates()
    return made


class KeptQuotes:
    """The quotes of one account's futures and options that came last. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: tuple[Account, pl.DataFrame] | None = None

    def of(self, balance: Balance) -> pl.DataFrame | None:
        """Those for this balance's account that are young enough for it; None without any."""
        import polars as pl

        with self._lock:
            kept = self._kept
        if kept is None or kept[0] != balance.account:
            return None
        young = kept[1].filter(pl.col("as_of") > balance.as_of - _QUOTES_LAST)
        return young if young.height else None

    def due(self, balance: Balance, codes: Sequence[str]) -> list[str]:
        """Those among these short codes that `of` has no quote of, each once."""
        young = self.of(balance)
        known = set() if young is None else set(young["shtn_pdno"])
        return [code for code in dict.fromkeys(codes) if code not in known]

    def keep(self, balance: Balance, quotes: pl.DataFrame | None) -> None:
        """Keep these for the next balances of the account, in place of its earlier ones."""
        if quotes is None or not quotes.height:
            return
        with self._lock:
            if self._kept is not None and self._kept[0] == balance.account:
                rest = self._kept[1].join(quotes, on="shtn_pdno", how="anti")
                quotes = rest.vstack(quotes.select(rest.columns))
            self._kept = balance.account, quotes
