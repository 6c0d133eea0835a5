"""`Balances`: the balances of many pulls, and `Failure`: a pull that raised an error."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import overload

import polars as pl

from kis_nb._account import Account, account_labels
from kis_nb._codes import Basis, Margin
from kis_nb._errors import KisError
from kis_nb._frames.balance import Balance
from kis_nb._frames.exact_columns import dtype_of
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


class Balances(Sequence[Balance]):
    """The balances of many pulls, in the order asked; a sequence of `Balance`.

    Args:
        balances: one for each pull that succeeded.
        failures: one for each pull that did not.

    Attributes:
        failures: a tuple with a `Failure` for each pull that raised an error; empty when none did.
        positions: the positions of all balances in one frame.
        summary: the summaries of all balances in one frame.
    """

    def __init__(self, balances: Sequence[Balance], failures: Sequence[Failure] = ()) -> None:
        self._balances = tuple(balances)
        self.failures = tuple(failures)

    @overload
    def __getitem__(self, index: int) -> Balance: ...
    @overload
    def __getitem__(self, index: slice) -> Balances: ...
    def __getitem__(self, index: int | slice) -> Balance | Balances:
        if isinstance(index, slice):
            return Balances(self._balances[index], self.failures)
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

    def _stack(
        self, frames: Sequence[tuple[Balance, pl.DataFrame]], schema: dict[str, pl.DataType]
    ) -> pl.DataFrame:
        labels = account_labels(balance.account for balance in self._balances)
        keyed = [
            frame.select(
                pl.lit(labels[balance.account]).alias("account"),
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
        lines = [repr(balance) for balance in self._balances]
        lines += [
            f"<failed {one.account} {one.mgna_dvsn.query} {one.excc_stat_cd.query}: "
            f"{type(one.error).__name__}: {one.error}>"
            for one in self.failures
        ]
        return "\n".join([f"<Balances: {len(self)} pulled, {len(self.failures)} failed>", *lines])


def _schema(block: Block) -> dict[str, pl.DataType]:
    return {field.name: dtype_of(field) for field in block.fields}
