"""`Balance`, one account in one view, and `Balances`, many of them.

Meaning wing, above `_frames` and `_reconcile`.
"""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple, get_args, overload

import polars as pl

from kis_nb._account import Account, account_labels
from kis_nb._choices import check_choice
from kis_nb._codes import Basis, Lang, Margin
from kis_nb._errors import KisError
from kis_nb._frames.decode import decode, dtype_of
from kis_nb._frames.equity import estimate
from kis_nb._frames.pages import Body
from kis_nb._frames.product_frame import UNPRICED, frame_of
from kis_nb._frames.products import OF_PRICE, MasterHandle, is_unpriced, products_of
from kis_nb._frames.reconcile import reconcile
from kis_nb._schema.night_balance import NIGHT_BALANCE, POSITIONS, SUMMARY
from kis_nb._seoul import KST

SIDE = pl.Enum(["long", "short", "flat"])
SIDE_LABEL: dict[Lang, str] = {"ko": "방향", "en": "Side"}
# Rows of the HTML repr: enough to recognise the account, few enough to scroll past.
_SHOWN = 10


class Relabelled(NamedTuple):
    """A balance's two frames with column names for people."""

    positions: pl.DataFrame
    summary: pl.DataFrame


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Balance:
    """One account as KIS told it at one moment, every digit as on the wire.

    Source: (야간)선물옵션 잔고현황, TR ``CTFN6118R``,
    ``/uapi/domestic-futureoption/v1/trading/inquire-ngt-balance``.

    Attributes:
        account: the account, shown masked; it equals its full text.
        mgna_dvsn: which margin the margin fields of `summary` hold.
        excc_stat_cd: the price that cost and unrealized P&L are counted from.
        as_of: when the first page arrived, aware, Asia/Seoul.
        pages: how many pages the rows came on.
        positions: a row a position, one column a field of ``output1`` in glossary order (see
            `kis_nb.fields`), then `side` (Enum long, short, flat; null when the wire does not
            tell), then fields the document does not know, as String (one that has the name of a
            column or label of ours gets ``wire_`` in front). Amounts are whole won,
            ``Decimal(19,0)``; prices are points, ``Decimal(23,8)``; quantities are contracts,
            Int64. Null means that the wire gave no value: it is never 0. ``cano`` is masked.
        summary: one row, the fields of ``output2`` in glossary order, then unknown ones.
        demo: the figures come from the embedded broker.
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
    def from_pages(
        cls,
        bodies: Sequence[Body],
        *,
        account: Account,
        mgna_dvsn: Margin,
        excc_stat_cd: Basis,
        as_of: float,
        demo: bool = False,
        master: MasterHandle | None = None,
    ) -> Balance:
        """A balance from the bodies of its pages, in order.

        Raises:
            DecodeError: see `kis_nb._frames.decode.decode`.
        """
        rows, summary = map(_apart, decode(bodies, NIGHT_BALANCE, account))
        rows.insert_column(len(POSITIONS.fields), _sides(rows))
        return cls(
            account=account,
            mgna_dvsn=mgna_dvsn,
            excc_stat_cd=excc_stat_cd,
            as_of=datetime.fromtimestamp(as_of, KST),
            pages=len(bodies),
            positions=rows,
            summary=summary,
            demo=demo,
            _master=master,
        )

    def reconcile(self) -> pl.DataFrame:
        """What adds up and what does not, a check a row; nothing is judged or refused over it.

        Returns:
            Columns ``what`` (the check, in wire names), ``item`` (which rows it is about),
            ``expected``, ``found`` and ``difference`` (found less expected; KRW, Decimal(38,2)) and
            ``status``: ``exact``, ``rounding`` (a won or two) or ``differs``; null when the wire
            lacks a figure that the check needs.
        """
        return reconcile(self.positions, self.summary, estimate(self))

    def products(self) -> pl.DataFrame:
        """What each position is, a row a position, in the order of `positions`.

        Read from short code and name. What they leave open is looked up in KIS's master files,
        which a client fetches for it once a trading day; when they cannot be had, it stays null
        and a line is logged.

        Returns:
            ``shtn_pdno``; ``kind`` (Enum future, call, put, spread); ``product`` (such as
            ``KOSPI 200 weekly Mon``); ``underlying``; ``expiry`` (Date, the last trading day);
            ``strike`` (points, Decimal(18,4)); ``multiplier`` (won a point, Decimal(18,0));
            ``source`` (Enum master, name, code: the last that something was taken from). Null
            where nothing tells, and where code and name contradict each other.
        """
        return frame_of(self.positions["shtn_pdno"], products_of(self, fetch=True))

    @property
    def master(self) -> MasterHandle | None:
        """KIS's master files, for modules of ours; None when no client made this balance."""
        return self._master

    def relabel(self, lang: Lang = "ko") -> Relabelled:
        """`positions` and `summary` with Korean (``ko``) or English (``en``) column names.

        Raises:
            ValueError: another language.
        """
        return Relabelled(*(relabel(frame, lang) for frame in (self.positions, self.summary)))

    def __repr__(self) -> str:
        rows = f"{self.positions.height} row{'' if self.positions.height == 1 else 's'}"
        pages = f"{self.pages} page{'' if self.pages == 1 else 's'}"
        demo = " DEMO" if self.demo else ""
        return (
            f"<Balance {self.account} MGNA_DVSN={self.mgna_dvsn} EXCC_STAT_CD={self.excc_stat_cd} "
            f"{rows}, {pages}, as of {self.as_of:%Y-%m-%d %H:%M:%S} KST{demo}>"
        )

    def _repr_html_(self) -> str:
        return _html(self)


@dataclass(frozen=True, slots=True)
class Failure:
    """A pull that did not come back.

    Attributes:
        account, mgna_dvsn, excc_stat_cd: what was asked.
        error: why; its `partial` holds what was read.
    """

    account: Account
    mgna_dvsn: Margin
    excc_stat_cd: Basis
    error: KisError


class Balances(Sequence[Balance]):
    """The balances of many pulls, in the order asked; a sequence of `Balance`.

    Attributes:
        failures: a `Failure` for each pull that did not come back; empty when all did.
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
        """All positions; in front ``account`` (masked; accounts that share a mask are numbered),
        ``mgna_dvsn``, ``excc_stat_cd`` and ``as_of`` tell which pull a row is of.
        """
        return self._stack("positions")

    @property
    def summary(self) -> pl.DataFrame:
        """A summary row a pull, with the same key columns in front."""
        return self._stack("summary")

    def _stack(self, name: str) -> pl.DataFrame:
        labels = account_labels(balance.account for balance in self._balances)
        frames: list[pl.DataFrame] = [
            (balance.positions if name == "positions" else balance.summary).select(
                pl.lit(labels[balance.account]).alias("account"),
                pl.lit(balance.mgna_dvsn.value).alias("mgna_dvsn"),
                pl.lit(balance.excc_stat_cd.value).alias("excc_stat_cd"),
                pl.lit(balance.as_of).alias("as_of"),
                pl.all(),
            )
            for balance in self._balances
        ]
        block, extra = (POSITIONS, {"side": SIDE}) if name == "positions" else (SUMMARY, {})
        known = {
            "account": pl.String(),
            "mgna_dvsn": pl.String(),
            "excc_stat_cd": pl.String(),
            "as_of": pl.Datetime("us", "Asia/Seoul"),
            **{field.name: dtype_of(field) for field in block.fields},
            **extra,
        }
        # The empty frame in front gives the columns when nothing came back; diagonal lets an
        # unknown wire field come with some pulls only.
        return pl.concat([pl.DataFrame(schema=known), *frames], how="diagonal")

    def __repr__(self) -> str:
        lines = [repr(balance) for balance in self._balances]
        lines += [
            f"<failed {f.account} MGNA_DVSN={f.mgna_dvsn} EXCC_STAT_CD={f.excc_stat_cd}: "
            f"{type(f.error).__name__}: {f.error}>"
            for f in self.failures
        ]
        return "\n".join([f"<Balances: {len(self)} pulled, {len(self.failures)} failed>", *lines])


_CODES = {"01": "short", "02": "long"}
_NAMES = {"매도": "short", "SLL": "short", "매수": "long", "BUY": "long"}


def _sides(rows: pl.DataFrame) -> pl.Series:
    """long, short or flat; null when the wire does not tell, or says two things.

    Code and name of the side are each enough. ``trad_dvsn_name`` is not asked: what it says is not
    documented, and the one published answer that has 매수 there names the side itself too.

    A loop: over ten thousand rows it takes half as long as the Polars expression, over twenty a
    tenth.
    """
    sides: list[str | None] = []
    wire = (
        rows[column].to_list() for column in ("sll_buy_dvsn_cd", "sll_buy_dvsn_name", "cblc_qty")
    )
    for code, name, quantity in zip(*wire, strict=True):
        by_code, by_name = (
            _CODES.get((code or "").strip()),
            _NAMES.get((name or "").strip().upper()),
        )
        said = {by_code, by_name} - {None}
        sides.append("flat" if quantity == 0 else said.pop() if len(said) == 1 else None)
    # As text first: Polars takes twice as long to make an Enum of Python's.
    return pl.Series("side", sides, pl.String).cast(SIDE)


_OURS = {"side", "account", "mgna_dvsn", "excc_stat_cd", "as_of", *SIDE_LABEL.values()}
_OURS |= {label for f in (*POSITIONS.fields, *SUMMARY.fields) for label in (f.ko, f.en)}


def _apart(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame, with no unknown field under a name that we give to something else."""
    taken = _OURS | set(frame.columns)
    new: dict[str, str] = {}
    for name in filter(_OURS.__contains__, frame.columns):
        new[name] = f"wire_{name}"
        while new[name] in taken:
            new[name] = f"wire_{new[name]}"
    return frame.rename(new) if new else frame


def relabel(frame: pl.DataFrame, lang: Lang) -> pl.DataFrame:
    """A frame with the glossary's labels for column names; other columns keep theirs.

    Raises:
        ValueError: a language other than ko and en.
    """
    check_choice("lang", lang, get_args(Lang))
    labels = {f.name: f.label(lang) for f in (*POSITIONS.fields, *SUMMARY.fields)}
    return frame.rename({**labels, "side": SIDE_LABEL[lang]}, strict=False)


def exact(value: Decimal | int | None) -> str:
    """A figure with thousands separators and every digit that says something; null is a dash."""
    if value is None:
        return "–"
    text = f"{value:,f}" if isinstance(value, Decimal) else f"{value:,}"
    if "." in text:
        whole, fraction = text.split(".")
        fraction = fraction.rstrip("0").ljust(2, "0")
        text = f"{whole}.{fraction}"
    return text


_HEAD_FIGURES = (
    "prsm_dpast",
    "evlu_pfls_amt_smtl",
    "trad_pfls_amt_smtl",
    "mgna_tota",
    "add_mgna_tota",
    "ord_psbl_tota",
)
_COLUMNS = (
    "prdt_name",
    "side",
    "cblc_qty",
    "excc_unpr",
    "ccld_avg_unpr1",
    "idx_clpr",
    "pchs_amt",
    "evlu_amt",
    "evlu_pfls_amt",
    "trad_pfls_amt",
)


def _html(balance: Balance) -> str:
    """A compact card: whose and when, six figures, the first positions."""
    ko = {f.name: f.ko for f in (*POSITIONS.fields, *SUMMARY.fields)} | {"side": SIDE_LABEL["ko"]}
    figures = balance.summary.row(0, named=True)
    head = html.escape(repr(balance).strip("<>").removeprefix("Balance "))
    cells = "".join(
        f"<div><small style='opacity:.7'>{ko[name]}</small><br><b>{exact(figures[name])}</b></div>"
        for name in _HEAD_FIGURES
    )
    style = "text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap"
    header = "".join(f"<th style='{style}'>{ko[name]}</th>" for name in _COLUMNS)

    def cell(row: dict[str, Any], name: str, *, unpriced: bool) -> str:
        value = row[name]
        if unpriced and name in OF_PRICE:
            return "가격 없음"
        return html.escape(value) if isinstance(value, str) else exact(value)

    body = "".join(
        "<tr>"
        + "".join(
            f"<td style='{style}'>{cell(row, name, unpriced=is_unpriced(row))}</td>"
            for name in _COLUMNS
        )
        + "</tr>"
        for row in balance.positions.select(pl.col(_COLUMNS)).head(_SHOWN).iter_rows(named=True)
    )
    lack = balance.positions.filter(UNPRICED).height
    rest = balance.positions.height - _SHOWN
    more = f"<small>… {rest:,} more rows in .positions</small>" if rest > 0 else ""
    if lack:
        said = f"평가손익 합계: {lack:,}종목 가격 없음 제외 · no price: {lack:,}"
        more += f"<div><small>{said}</small></div>"
    table = (
        f"<table><thead><tr>{header}</tr></thead><tbody>{body}</tbody></table>{more}"
        if body
        else "<small>보유 포지션 없음 · no positions</small>"
    )
    return (
        f"<div><div>{head}</div>"
        "<div style='display:flex;flex-wrap:wrap;gap:.4em 2em;margin:.6em 0;"
        f"font-variant-numeric:tabular-nums'>{cells}</div>"
        f"<div style='overflow-x:auto'>{table}</div></div>"
    )
