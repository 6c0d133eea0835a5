"""`risk`: what an account would gain or lose, estimated from one balance."""

from __future__ import annotations

from decimal import Decimal
from threading import Event
from typing import TYPE_CHECKING, Any

import polars as pl

from kis_nb._account import account_labels
from kis_nb._choices import Lang, check_choice
from kis_nb._frames.balance import Balance
from kis_nb._frames.balances import Balances
from kis_nb._frames.equity import Equity, equity
from kis_nb._frames.text import moment
from kis_nb._risk import answers as texts
from kis_nb._risk.forwards import Given, check_given, is_number
from kis_nb._risk.grid import HEADLINE
from kis_nb._risk.html import risk_html
from kis_nb._risk.inputs import Inputs
from kis_nb._risk.margin_call import MARGINS, SCHEMA, Margin, MarginCall
from kis_nb._risk.margin_rules import MarginRules, components_frame, read_rates
from kis_nb._risk.notes import LEFT_OUT
from kis_nb._risk.pricing import require
from kis_nb._risk.what_if import WhatIf

if TYPE_CHECKING:
    from kis_nb._client import Client


def risk(
    balance: Balance | Balances,
    *,
    client: Client | None = None,
    forwards: Given | None = None,
    rate: float | Decimal = 0.0,
    quotes: pl.DataFrame | None = None,
    option_quotes: bool = True,
    cancel: Event | None = None,
) -> Risk:
    """Estimate what an account would gain or lose: Greeks, scenarios, distance to a margin call.

    Options are priced by Black-76 on the forward of their expiry (QuantLib), each with the
    volatility that its price implies. All results are Float64 and estimates.

    Source: (야간)선물옵션 잔고현황 for the positions; with a client also 선물옵션 시세 (TR
    ``FHMIF10000000``) for forwards and KIS's own Greeks, (야간)선물옵션 증거금 상세
    (``CTFN7107R``) and 선물옵션 증거금률 (``TTTO6032R``) when a margin is first asked for.

    Args:
        balance: one pull, or pulls of one account: a pull with MGNA_DVSN 02 gives the maintenance
            margin. Of several the latest is priced.
        client: what quotes, maintenance margin and margin rates are asked from; None asks nothing.
        forwards: prices in points, by underlying (its level now, with which all its forwards
            shift), by last trading day (of the KOSPI 200), or by a pair of both. Futures are valued
            at what is given too.
        rate: interest a year, continuously compounded; 0.025 is 2.5 %. KIS sends none.
        quotes: what `Client.quotes` gave for futures and options, in place of asking.
        option_quotes: whether to ask for the quotes of the held options, for KIS's own Greeks: one
            call an option.
        cancel: an event that stops the calls when set.

    Returns:
        The estimates. What KIS refused is in ``lacks``; the others are made without it.

    Raises:
        ImportError: QuantLib is not installed: ``pip install 'kis_nb[risk]'``.
        ValueError: no balance, balances of several accounts, or an argument is none of these.
        Cancelled: `cancel` was set.
    """
    require()
    pulls = list(balance) if isinstance(balance, Balances) else [balance]
    if not all(isinstance(one, Balance) for one in pulls):
        raise ValueError("risk takes a balance, or balances of one account")
    if not pulls or len({one.account for one in pulls}) != 1:
        raise ValueError("risk takes a balance, or balances of one account")
    if not is_number(rate) or not -0.5 <= rate <= 1:
        raise ValueError(f"rate is a number like 0.025 for 2.5% a year; got {rate!r}")
    check_given(forwards)
    latest = max(pulls, key=lambda one: one.as_of)
    latest = next(one for one in pulls if one.as_of == latest.as_of)
    label = (
        balance.labels[latest.account]
        if isinstance(balance, Balances)
        else account_labels([latest.account])[latest.account]
        if client is None
        else client.label_of(latest.account)
    )
    others = [one for one in pulls if one is not latest]
    known = None if client is None else client.find_account(latest.account)
    if isinstance(known, ValueError):
        raise known
    inputs = Inputs(latest, others, client, cancel)
    if quotes is not None:
        inputs.use(quotes)
    # Here, so that what shows a result, in a notebook too, asks for nothing.
    inputs.views()
    return Risk(inputs, forwards, float(rate), label, option_quotes=option_quotes)


class Risk(WhatIf):
    """Estimates for one balance. `kis_nb.risk` makes it.

    A move ``spot`` is relative to the reference level of an underlying, the price of its nearest
    future: -0.03 is 3 % lower. The forward of every expiry moves with it; what a forward is above
    or below the level shrinks with the time that is left, so that a contract settles at the level.
    A change ``vol`` is relative to each option's own volatility. A scenario is of one underlying;
    the others stay where they are.

    Attributes:
        balance: the balance that is priced.
        account: its masked label.
        rate: interest a year.
        underlyings: those with a position that is priced, the largest notional first.
    """

    def __repr__(self) -> str:
        demo = " DEMO" if self.demo else ""
        number = len(self._book.lines) - len(self._book.left_out)
        return f"<Risk {self.account} as of {moment(self.as_of)}, {number} priced{demo}>"

    def _repr_html_(self) -> str:
        return risk_html(self)

    def equity(self) -> Equity:
        """Equity and maintenance margin of the account, as the summary cards have them.

        Returns:
            See `kis_nb._frames.equity.Equity`; the maintenance margin may be of another moment,
            which it says.

        Raises:
            Cancelled: the event given to `risk` was set.
        """
        views = self._inputs.views()
        made: Equity = self._once(("equity", len(views)), lambda: equity(self.balance, views))
        return made

    def margin_call(self, *, underlying: str | None = None) -> pl.DataFrame:
        """The levels at which equity falls to the maintenance margin, with all else as it is now.

        Equity is that of the moment of the balance, or where that is not known KIS's, which is
        marked at the last settlement; `answers` say so.

        Args:
            underlying: as of `scenarios`.

        Returns:
            Four rows: ``side`` (Enum below, above), ``margin`` (Enum ``held``: the maintenance
            margin stays what it is; ``re-estimated``: it is worked out anew at the level, see
            `margin_components`), ``level`` (points), ``spot``, ``pnl``, ``equity`` and ``required``
            there (won, Float64), ``note`` (Enum): why there is no level, else null. Only levels
            within 50% are looked for, in steps of 0.5% and at the strikes (re-estimated: of 2%).
            Empty when nothing is priced.

        Raises:
            ValueError: no position on this underlying is priced.
            Cancelled: the event given to `risk` was set.
        """
        name = self._name(underlying)
        if name is None:
            return pl.DataFrame(schema=SCHEMA)
        rows = [row for margin in MARGINS for row in self._call_rows(name, margin)]
        return pl.DataFrame(rows, schema=SCHEMA, orient="row")

    def _call_rows(self, name: str, margin: Margin) -> list[dict[str, Any]]:
        """The rows of `margin_call` with one margin; rates are asked for only for the other."""

        def make() -> list[dict[str, Any]]:
            own = self.equity()
            worth = own.reported_equity if own.current_equity is None else own.current_equity
            held = own.maintenance_margin
            call = MarginCall(
                self._book.repricer(name),
                self.as_of,
                None if worth is None else float(worth),
                None if held is None else float(held),
                None if margin == "held" else self._rules(),
                name,
            )
            return call.rows(margin)

        made: list[dict[str, Any]] = self._once(("call", name, margin), make)
        return made

    def _rules(self) -> MarginRules | None:
        rates = read_rates(self._inputs.margin_rates())
        return MarginRules(self._book, rates, self.as_of) if rates else None

    def margin_components(self) -> pl.DataFrame:
        """Margin by component: what KIS says, and what its rates would give.

        The re-estimate, for each underlying, is the largest loss under moves of the level as far as
        the rate, plus the net value of the sold options. Margins of spreads, of delivery and the
        minimum are not estimated.

        Source: (야간)선물옵션 증거금 상세, TR ``CTFN7107R``; 선물옵션 증거금률, TR ``TTTO6032R``.

        Returns:
            One row a component, initial before maintenance: ``component`` (wire name), ``ko``,
            ``en``, ``which`` (Enum initial, maintenance), ``estimated`` (won, Float64),
            ``reported`` (won, exact), ``gap`` (estimated less reported). Null where not known.

        Raises:
            Cancelled: the event given to `risk` was set.
        """
        made: pl.DataFrame = self._once(
            "components",
            lambda: components_frame(self._rules(), self._inputs.margin_detail()),
        )
        return made

    def answers(self, lang: Lang = "ko", *, underlying: str | None = None) -> tuple[str, str, str]:
        """The three answers: the P&L of a level 3 % lower and of one 3 % higher, with volatility a
        fifth up; where the margin call comes; which position loses most there.

        Args:
            lang: ``"ko"`` or ``"en"``.
            underlying: as of `scenarios`.

        Returns:
            Three sentences. Without a margin-call level the third is about the worse of the first
            one's moves.

        Raises:
            ValueError: another language or underlying.
            Cancelled: the event given to `risk` was set.
        """
        check_choice("lang", lang, ("ko", "en"))
        name = self._name(underlying)
        if name is None:
            return texts.nothing_answer(lang), "", ""
        spot, vol = HEADLINE
        repricer = self._book.repricer(name)
        moves = (spot, -spot)
        pnl = dict(zip(moves, repricer.pnl(moves, (vol,), self.as_of), strict=True))
        spot = min(pnl, key=lambda move: pnl[move])
        rows = self._call_rows(name, "held")
        found = [row for row in rows if row["note"] is None]
        nearest = min(found, key=lambda row: abs(row["spot"]), default=None)
        level = repricer.level * (1 + spot) if nearest is None else nearest["level"]
        made = self.contributions(level, underlying=name, vol=vol if nearest is None else 0.0)
        worst = next((row for row in made.head(1).to_dicts() if row["pnl"] < 0), None)
        return (
            texts.loss_answer(name, pnl, lang),
            texts.call_answer(name, rows, lang, settled=self.equity().source is None),
            texts.cause_answer(nearest, level, worst, lang),
        )

    def summary_lines(self, lang: Lang = "ko") -> list[str]:
        """What the estimates do without: what KIS refused, and which positions are left out.

        Args:
            lang: ``"ko"`` or ``"en"``.

        Returns:
            A line each; empty when nothing is missing.

        Raises:
            ValueError: another language.
        """
        check_choice("lang", lang, ("ko", "en"))
        notes = [line.note for line in self._book.lines if line.note is not None]
        return texts.summary_lines(
            lacks=self.lacks,
            notes=[note for note in notes if note in LEFT_OUT],
            intrinsic=sum(note not in LEFT_OUT for note in notes),
            apart=self.apart,
            as_of=self.as_of,
            unused=self._unused,
            lang=lang,
        )
