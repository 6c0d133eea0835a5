"""`Balance`: one account in one view, as KIS sent it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from kis_nb._account import Account
from kis_nb._choices import Lang
from kis_nb._codes import Basis, Margin
from kis_nb._frames.balance_html import balance_html
from kis_nb._frames.columns import relabel, rename_clashing
from kis_nb._frames.decode import Decoder
from kis_nb._frames.equity_estimate import estimate_equity
from kis_nb._frames.position_products import MasterHandle, products_of
from kis_nb._frames.product_frame import frame_of
from kis_nb._frames.reconcile import reconcile
from kis_nb._frames.sides import read_sides
from kis_nb._frames.text import status_line
from kis_nb._schema.night_balance import POSITIONS
from kis_nb._seoul import KST

if TYPE_CHECKING:
    import polars as pl


class Relabelled(NamedTuple):
    """A balance's two frames with column names for people.

    Attributes:
        positions: as `Balance.positions`, with labels for column names.
        summary: as `Balance.summary`, with labels for column names.
    """

    positions: pl.DataFrame
    summary: pl.DataFrame


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Balance:
    """One account at one moment, every digit as KIS sent it.

    A `Client` makes it. Source: (야간)선물옵션 잔고현황, TR ``CTFN6118R``,
    ``/uapi/domestic-futureoption/v1/trading/inquire-ngt-balance``.

    Attributes:
        account: the account, shown masked; it equals its full text.
        mgna_dvsn: which margin the margin fields of `summary` hold.
        excc_stat_cd: the price that cost and unrealized P&L are counted from.
        as_of: when the first page arrived; aware, Asia/Seoul.
        pages: how many pages the rows came on.
        positions: one row a position. The columns are the fields of ``output1`` in glossary order
            (see `kis_nb.fields`), then `side` (Enum long, short, flat; null when KIS does not
            say), then fields that the document does not know, as String (one with the name or
            label of another column gets ``wire_`` in front). Amounts are whole won,
            ``Decimal(19,0)``; prices are points, ``Decimal(23,8)``; quantities are contracts,
            Int64. Null means that KIS sent no value; it never stands for 0. ``cano`` is masked.
        summary: one row, the fields of ``output2`` in glossary order, then unknown ones; types,
            units and null as in `positions`.
        demo: whether the figures come from the embedded broker, so are invented.
    """

    account: Account
    mgna_dvsn: Margin
    excc_stat_cd: Basis
    as_of: datetime
    pages: int
    positions: pl.DataFrame = field(repr=False)
    summary: pl.DataFrame = field(repr=False)
    demo: bool = False
    # KIS's master files, for `products`; a client gives it. Neither shown nor compared.
    _master: MasterHandle | None = field(default=None, repr=False)

    @classmethod
    def from_decoder(
        cls,
        decoder: Decoder,
        *,
        account: Account,
        mgna_dvsn: Margin,
        excc_stat_cd: Basis,
        as_of: float,
        demo: bool = False,
        master: MasterHandle | None = None,
    ) -> Balance:
        """Make a balance of a decoder that was given every page.

        Args:
            decoder: has the pages, in order.
            account, mgna_dvsn, excc_stat_cd: what was asked for.
            as_of: when the first page arrived, in seconds since 1970.
            demo: whether the embedded broker answered.
            master: KIS's master files, for `products`.

        Returns:
            The balance, with all rows of all pages.

        Raises:
            DecodeError: see `kis_nb._frames.decode.Decoder.add`.
        """
        positions, summary = map(rename_clashing, decoder.frames())
        positions.insert_column(len(POSITIONS.fields), read_sides(positions))
        return cls(
            account=account,
            mgna_dvsn=mgna_dvsn,
            excc_stat_cd=excc_stat_cd,
            as_of=datetime.fromtimestamp(as_of, KST),
            pages=decoder.pages,
            positions=positions,
            summary=summary,
            demo=demo,
            _master=master,
        )

    def reconcile(self) -> pl.DataFrame:
        """Check sums and documented identities between the figures. Nothing is refused over them.

        Returns:
            One row a check: ``what`` (the check, in wire names), ``item`` (which rows it is about),
            ``expected``, ``found`` and ``difference`` (found less expected; KRW, Decimal(38,2)),
            and ``status`` (Enum): ``exact``, ``rounding`` (a won or two) or ``differs``. Figures
            and status are null when KIS did not send what the check needs. The comparisons of
            equity have no status.

        Raises:
            Nothing.
        """
        estimate = estimate_equity(self.positions, self.summary, self.excc_stat_cd)
        return reconcile(self.positions, self.summary, estimate)

    def products(self) -> pl.DataFrame:
        """What each position is: kind, product, expiry, strike, multiplier.

        KIS sends no field for these. They are read from ``shtn_pdno`` and ``prdt_name``. What those
        leave open is looked up in KIS's master files (``fo_idx_code_mts.mst``,
        ``fo_com_code.mst``), which the client fetches once a trading day.

        Returns:
            One row a position, in the order of `positions`: ``shtn_pdno``; ``kind`` (Enum future,
            call, put, spread); ``product`` (such as ``KOSPI 200 weekly Mon``); ``underlying``;
            ``expiry`` (Date, the last trading day); ``strike`` (points, Decimal(18,4));
            ``multiplier`` (won a point, Decimal(18,0)); ``source`` (Enum master, name, code: the
            last that something was taken from). Null where no source gives it, and where code and
            name contradict each other.

        Raises:
            Nothing: when the master files cannot be fetched, a line is logged.
        """
        products = products_of(self.positions, self._master, fetch=True)
        return frame_of(self.positions["shtn_pdno"], products)

    @property
    def master(self) -> MasterHandle | None:
        """KIS's master files, for modules of the package; None when no client made the balance."""
        return self._master

    def relabel(self, lang: Lang = "ko") -> Relabelled:
        """Give the columns of `positions` and `summary` their labels for people.

        Args:
            lang: ``"ko"`` for Korean labels, ``"en"`` for English ones.

        Returns:
            The two frames as ``(positions, summary)``, values unchanged. Fields that the glossary
            does not know keep their wire name.

        Raises:
            ValueError: another language.
        """
        return Relabelled(*(relabel(frame, lang) for frame in (self.positions, self.summary)))

    def __repr__(self) -> str:
        return f"<Balance {status_line(self)}>"

    def _repr_html_(self) -> str:
        return balance_html(status_line(self), self.positions, self.summary)
