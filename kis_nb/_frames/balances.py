"""`Balances`: the balances of many pulls."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import get_args, overload

import polars as pl

from kis_nb._account import Account, account_labels, find_account
from kis_nb._choices import Lang, check_choice
from kis_nb._codes import Basis, BasisLike, Margin, MarginLike
from kis_nb._frames.account_frames import equity_frame, one_view_each
from kis_nb._frames.balance import Balance
from kis_nb._frames.exact_columns import dtype_of
from kis_nb._frames.failure import Failure
from kis_nb._frames.headline import Headline, headline
from kis_nb._frames.index_stress import MOVES, Move, index_stress_frame
from kis_nb._frames.pnl_frame import By, pnl_frame
from kis_nb._frames.reconcile import SCHEMA as RECONCILE
from kis_nb._frames.sides import SIDE
from kis_nb._schema.endpoint import Block
from kis_nb._schema.night_balance import POSITIONS, SUMMARY
from kis_nb._seoul import KST

# The columns in front of stacked frames, which say which pull a row is of.
_KEYS: dict[str, pl.DataType] = {
    "account": pl.String(),
    "mgna_dvsn": pl.String(),
    "excc_stat_cd": pl.String(),
    "as_of": pl.Datetime("us", KST.key),
}


class Balances(Sequence[Balance]):
    """The balances of many pulls, in the order asked; a sequence of `Balance`.

    Args:
        balances: one for each pull that succeeded.
        failures: one for each pull that did not.
        accounts: accounts that the labels are to tell apart besides those of the pulls, in order:
            a client gives its own, so that a label means the same account as to the client.

    Attributes:
        labels: the masked label of each account, the same wherever these balances name one.
        failures: a tuple with a `Failure` for each pull that raised an error; empty when none did.
        positions: the positions of all balances in one frame.
        summary: the summaries of all balances in one frame.
    """

    def __init__(
        self,
        balances: Sequence[Balance],
        failures: Sequence[Failure] = (),
        accounts: Iterable[Account] = (),
    ) -> None:
        self._balances = tuple(balances)
        self.failures = tuple(failures)
        own = [*(one.account for one in self._balances), *(one.account for one in self.failures)]
        self.labels: Mapping[Account, str] = MappingProxyType(account_labels([*accounts, *own]))

    @overload
    def __getitem__(self, index: int) -> Balance: ...
    @overload
    def __getitem__(self, index: slice) -> Balances: ...
    def __getitem__(self, index: int | slice) -> Balance | Balances:
        if isinstance(index, slice):
            return Balances(self._balances[index], self.failures, self.labels)
        return self._balances[index]

    def __len__(self) -> int:
        return len(self._balances)

    def __iter__(self) -> Iterator[Balance]:
        return iter(self._balances)

    @property
    def positions(self) -> pl.DataFrame:
        """The positions of all balances in one frame.

        Returns:
            The columns ``account`` (masked; accounts with the same mask are numbered),
            ``mgna_dvsn``, ``excc_stat_cd`` (String) and ``as_of`` (Datetime, Asia/Seoul), which say
            which pull a row is of, then those of `Balance.positions`. A field that came with some
            pulls only is null in the rows of the others. No rows, but all columns, when no pull
            succeeded.

        Raises:
            Nothing.
        """
        frames = [(balance, balance.positions) for balance in self._balances]
        return self._stack(frames, _schema(POSITIONS) | {"side": SIDE})

    @property
    def summary(self) -> pl.DataFrame:
        """The summaries of all balances in one frame.

        Returns:
            One row a pull: the same key columns as in `positions`, then those of
            `Balance.summary`.

        Raises:
            Nothing.
        """
        frames = [(balance, balance.summary) for balance in self._balances]
        return self._stack(frames, _schema(SUMMARY))

    def of(self, account: str | Account) -> Balances:
        """The pulls of one account.

        Args:
            account: its masked label, as frames show it, or its number.

        Returns:
            Its balances and failures, in their order.

        Raises:
            ValueError: no pull is of this account.
        """
        found = find_account(account, self.labels, {})
        account = ""
        if isinstance(found, ValueError):
            raise found
        balances = [one for one in self._balances if one.account == found]
        failures = [one for one in self.failures if one.account == found]
        if not balances and not failures:
            asked = {one.account for one in self._balances}
            asked |= {one.account for one in self.failures}
            known = ", ".join(label for one, label in self.labels.items() if one in asked)
            raise ValueError(f"no pull is of this account; there are pulls of {known or 'none'}")
        return Balances(balances, failures, self.labels)

    def equity(self) -> pl.DataFrame:
        """Equity, margin and excess margin of each account, of all its pulls together.

        The figures are those of the dashboard's cards and of `kis_nb.charts.margin`. The
        maintenance margin, below which KIS calls for more, takes a pull with MGNA_DVSN 02.

        Returns:
            One row an account; won, Decimal(38,0). ``account`` (masked label); ``as_of`` (of the
            latest pull, which equity is of); ``reported_equity`` (``prsm_dpast``, as of
            settlement); ``current_equity`` (of this moment) and its ``source`` (Enum sent,
            estimate); ``initial_margin`` and the time of its pull, ``initial_as_of``;
            ``maintenance_margin`` and its time, ``margin_as_of``; ``excess_margin`` and
            ``excess_margin_now`` (reported and current equity less maintenance margin);
            ``equity_percent`` (current equity, else the reported one, in per cent of the
            maintenance margin, Decimal(38,2), rounded down);
            ``margin_call`` (the most that a pull of the moment of ``as_of`` has as
            ``add_mgna_tota``). Null where it is not known. Margin calls come first, then an excess
            margin below 0, then the least ``equity_percent``.

        Raises:
            Nothing.
        """
        return equity_frame(self, self.labels)

    def pnl(
        self,
        by: By = "product",
        *,
        mgna_dvsn: MarginLike | None = None,
        excc_stat_cd: BasisLike = Basis.SETTLEMENT,
    ) -> pl.DataFrame:
        """Profit and loss of one view of each account, so that no position is counted twice.

        Args:
            by: ``"product"``, ``"position"`` or ``"account"``: what a row is.
            mgna_dvsn: which pulls to take; when left out, an account's latest, with 01 before 02
                within five seconds. No figure here depends on the code.
            excc_stat_cd: whether P&L counts from settlement (1) or from the fills (2).

        Returns:
            The largest profit or loss first. Keys: ``product`` and ``kind``, as of
            `Balance.products`; or ``account``, ``shtn_pdno``, ``prdt_name``, ``product``, ``kind``
            and ``side``; or ``account``. Then ``positions`` (how many), ``contracts`` (long and
            short added up) and ``unpriced`` (positions without a price); in won, Decimal(38,0):
            ``market_value``, ``unrealized`` and ``realized``, and ``total``, the sum of the last
            two. Market value and unrealized P&L are of the positions with a price: null when there
            is none. A sum with a null in it is null.

        Raises:
            ValueError: another `by`, a code that does not fit, or no pull of this view.
        """
        margin = None if mgna_dvsn is None else Margin(mgna_dvsn)
        chosen = one_view_each(self, margin, Basis(excc_stat_cd))
        return pnl_frame(chosen, self.labels, by)

    def index_stress(
        self, moves: Iterable[Move] = MOVES, *, excc_stat_cd: BasisLike = Basis.SETTLEMENT
    ) -> pl.DataFrame:
        """What a move of the KOSPI 200 would leave of each account's excess margin.

        Positions on the KOSPI 200 move (mini and weeklies too). Futures move by market value × x %.
        Options are counted twice: ``held`` keeps time value and changes intrinsic value alone, a
        rough estimate, in which no option's price falls below 0; ``worst`` counts no option's gain
        and every loss point for point with the index, a bought option's no further than its
        premium: a lower bound as long as volatility does not rise, and never above ``held``. The
        margin is left as it is. The index is the price of the nearest future
        held in any of the accounts, since KIS sends none.

        Args:
            moves: of the index, in per cent, from -100 to 1000 with four decimals at most.
            excc_stat_cd: which pulls to take the positions from.

        Returns:
            One row an account and move: ``account``; ``as_of`` (of the pull that has the
            positions; the excess margin is of that moment too); ``index_move`` (per cent) and
            ``index_level`` (points; null without a future); ``pnl_held`` and ``pnl_worst``, in
            won; what is then left of the excess margin, ``excess_held`` and ``excess_worst``,
            counted from ``excess_margin_now`` of `equity`, else ``excess_margin``; null when
            neither is known; ``left_out`` (the names of the positions that are held and do not
            move).

        Raises:
            ValueError: a move is no such number, a code does not fit, or there is no pull of it.
        """
        chosen = one_view_each(self, None, Basis(excc_stat_cd))
        return index_stress_frame(self, chosen, self.labels, moves)

    def reconcile(self) -> pl.DataFrame:
        """Which figures of each pull add up and which do not.

        Returns:
            The key columns of `positions`, then those of `Balance.reconcile`, a row a check.

        Raises:
            Nothing.
        """
        return self._stack([(one, one.reconcile()) for one in self._balances], RECONCILE)

    def headline(self, lang: Lang = "ko") -> Headline:
        """The accounts in a few sentences: margin call, equity since settlement, excess margin,
        what does not add up, and what could not be pulled.

        Args:
            lang: ``"ko"`` or ``"en"``.

        Returns:
            The sentences; a cell shows them as lines, and ``str()`` gives them as text.

        Raises:
            ValueError: another language.
        """
        check_choice("lang", lang, get_args(Lang))
        statuses = self.reconcile()["status"]
        return headline(self.equity(), statuses, self.failures, self.labels, lang, demo=self._demo)

    @property
    def _demo(self) -> bool:
        return any(balance.demo for balance in self._balances)

    def _stack(
        self, frames: Sequence[tuple[Balance, pl.DataFrame]], schema: dict[str, pl.DataType]
    ) -> pl.DataFrame:
        keyed = [
            frame.select(
                pl.lit(self.labels[balance.account]).alias("account"),
                pl.lit(balance.mgna_dvsn.value).alias("mgna_dvsn"),
                pl.lit(balance.excc_stat_cd.value).alias("excc_stat_cd"),
                pl.lit(balance.as_of).alias("as_of"),
                pl.all(),
            )
            for balance, frame in frames
        ]
        # The empty frame in front gives the columns when no pull succeeded; diagonal lets an
        # unknown wire field come with some pulls only.
        return pl.concat([pl.DataFrame(schema=_KEYS | schema), *keyed], how="diagonal")

    def __repr__(self) -> str:
        lines = [
            repr(one).replace(one.account.masked, self.labels[one.account], 1)
            for one in self._balances
        ]
        lines += [
            f"<failed {self.labels[one.account]} {one.mgna_dvsn.query} {one.excc_stat_cd.query}: "
            f"{type(one.error).__name__}: {one.error}>"
            for one in self.failures
        ]
        return "\n".join([f"<Balances: {len(self)} pulled, {len(self.failures)} failed>", *lines])


def _schema(block: Block) -> dict[str, pl.DataType]:
    return {field.name: dtype_of(field) for field in block.fields}
