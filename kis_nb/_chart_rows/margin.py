"""How the deposit covers the margin, how equity does, and where a margin call begins."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from kis_nb._chart_rows.heading import add_heading
from kis_nb._chart_rows.labels import SEPARATOR, columns, geometry
from kis_nb._chart_rows.style import Style
from kis_nb._frames.decimal_context import exactly
from kis_nb._frames.equity import Equity, equity
from kis_nb._frames.moments import same_moment
from kis_nb._frames.text import Figure, exact
from kis_nb._widgets.vega_spec import Row

if TYPE_CHECKING:
    from kis_nb._frames.balance import Balance

_DEPOSIT = (("dnca_cash", "cash"), ("frcr_dncl_amt", "foreign"), ("dnca_sbst", "substitute"))
_MARGIN = (("cash_mgna", "cash"), ("sbst_mgna", "substitute"))
_ZERO = Decimal(0)


@exactly
def rows(
    balances: Sequence[Balance],
    style: Style,
    *,
    of: Balance | None = None,
    others: Sequence[Balance] = (),
    account: str = "",
) -> list[Row]:
    """The rows of the chart, one a segment of a bar: deposit, the margin of each balance, equity
    and excess margin as `kis_nb._frames.equity` has them, then the margin call's level.

    Args:
        balances: pulls of one account, each with a bar for its margin.
        style: language and colours.
        of: the balance that deposit and equity are of; the latest by default.
        others: more pulls without a bar, for the maintenance margin and the current equity.
        account: the account's label, where several are told apart.

    Raises:
        ValueError: no balance, or balances of several accounts.
    """
    if not balances:
        raise ValueError("margin needs a balance")
    if len({balance.account for balance in balances}) > 1:
        raise ValueError("margin shows one account: the balances given are of several")
    shown = max(balances, key=lambda one: one.as_of) if of is None else of
    sums = [balance.summary.row(0, named=True) for balance in balances]
    own = equity(shown, [*balances, *others])
    figures = shown.summary.row(0, named=True)
    lines = [_Bar(style.field("tot_dncl_amt"), figures["tot_dncl_amt"])]
    lines[0].stack(figures, _DEPOSIT, style)
    for balance, figures in zip(balances, sums, strict=True):
        code = balance.mgna_dvsn.label_with_code(style.lang)
        name = f"{style.field('mgna_tota')} · {code}"
        if not same_moment(balance.as_of, shown.as_of):
            # Without the field's label, so that the time is not cut off.
            name = f"{code} ({balance.as_of:%H:%M:%S})"
        line = _Bar(name, figures["mgna_tota"])
        line.stack(figures, _MARGIN, style)
        lines.append(line)
    level = None if own.maintenance_margin is None else geometry(own.maintenance_margin)
    lines.append(
        _equity_line(style.field("prsm_dpast"), own.reported_equity, own.maintenance_margin, style)
    )
    lines[-1].call = level
    if own.source is not None:
        estimate = style.word("지금 자산 (추정치)", "Equity now (estimate)")
        sent = style.word("지금 자산", "Equity now")
        name = sent if own.source == "sent" else estimate
        lines.append(_equity_line(name, own.current_equity, own.maintenance_margin, style))
        lines[-1].call = level
    lines.append(_call(own, sums, style))
    now = [
        figures["add_mgna_tota"] or _ZERO
        for balance, figures in zip(balances, sums, strict=True)
        if same_moment(balance.as_of, shown.as_of)
    ]
    added = max(now, default=_ZERO)
    if added > 0:
        line = _Bar(f"⚠ {style.field('add_mgna_tota')}", added)
        line.add(style.field("add_mgna_tota"), _ZERO, added, "alert")
        lines.append(line)
    result = []
    names, texts = [line.name for line in lines], columns([line.figure for line in lines])
    for line, figure in zip(lines, texts, strict=True):
        result += [row | {"key": f"{line.name}{SEPARATOR}{figure}"} for row in line.rows()]
    return add_heading(result, shown, style, account=account, names=names, figures=texts)


def _equity_line(name: str, whole: Figure, need: Figure, style: Style) -> _Bar:
    """A bar of equity: maintenance margin and excess margin, or what it is short of."""
    line = _Bar(name, whole)
    if whole is None:
        return line
    whole = Decimal(whole)
    if need is None:
        line.add(name, _ZERO, whole, "cash" if whole > 0 else "alert")
        return line
    need = Decimal(need)
    held = min(whole, need)
    if held > 0:
        # Short of it, what is there is the equity, not the margin that is asked for.
        part = style.word("유지증거금", "Maintenance margin") if whole >= need else name
        line.add(part, _ZERO, held, "held")
    elif held < 0:
        line.add(name, held, _ZERO, "alert")
    if whole > need:
        line.add(style.word("여유증거금", "Excess margin"), need, whole, "excess")
    elif whole < need:
        short = exact(need - whole)
        line.add(style.word("부족", "Short of"), max(whole, _ZERO), need, "alert", short)
    return line


class _Bar:
    """One bar of the chart: a name, its exact total, and segments."""

    def __init__(self, name: str, total: Figure, *, call: float | None = None) -> None:
        self.name = name
        self.figure = exact(total)
        self.call = call
        self.end = _ZERO
        self.low = _ZERO
        self.segments: list[Row] = []

    def stack(
        self, figures: dict[str, Any], parts: tuple[tuple[str, str], ...], style: Style
    ) -> None:
        """Add a segment for each of these fields, end to end, negative ones to the left of zero.

        Nulls and zeros get none.
        """
        for name, part in parts:
            if amount := figures[name]:
                if amount < 0:
                    self.add(style.field(name), self.low + amount, self.low, "alert", exact(amount))
                    self.low += amount
                    continue
                start, self.end = self.end, self.end + amount
                self.add(style.field(name), start, self.end, part, exact(amount))

    def add(
        self, name: str, start: Decimal, end: Decimal, part: str, amount: str | None = None
    ) -> None:
        """Add one segment. Its figure is `amount`, else its exact length."""
        amount = exact(end - start) if amount is None else amount
        self.segments.append(
            {
                "start": geometry(start),
                "end": geometry(end),
                "part": part,
                "name": name,
                "amount": amount,
                "aria": f"{self.name}: {name} {amount}",
            }
        )

    def rows(self) -> list[Row]:
        """The segments; one without length when there are none, so that the bar has its line."""
        blank = {
            "start": self.call or 0.0,
            "end": self.call or 0.0,
            "part": "excess",
            "name": self.name,
            "amount": self.figure,
            "aria": f"{self.name}: {self.figure}",
        }
        # Each row with a level draws it, so only the first one has it.
        first, *rest = self.segments or [blank]
        return [first | {"call": self.call}, *(segment | {"call": None} for segment in rest)]


def _call(own: Equity, sums: list[dict[str, Any]], style: Style) -> _Bar:
    """A bar without length at the equity below which KIS calls for more margin.

    Without a maintenance margin, the initial margin, and named so.
    """
    level = own.maintenance_margin
    name = style.word("추가증거금 발생선 (유지)", "Margin call below (maintenance)")
    if level is None:
        name = style.word("개시증거금 선 (발생선은 유지 02)", "Initial margin (call: see 02)")
        level = sums[0]["mgna_tota"]
    return _Bar(name, level, call=geometry(level) if level else None)
