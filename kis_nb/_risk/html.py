"""The HTML that a notebook shows for a `Risk`: the three answers, and the Greeks by expiry."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Protocol

from kis_nb._choices import Lang
from kis_nb._frames.estimate_text import level_text, signed_won
from kis_nb._frames.text import moment

if TYPE_CHECKING:
    from datetime import datetime

    import polars as pl


class Estimated(Protocol):
    """What is shown of a `Risk`."""

    account: str

    @property
    def as_of(self) -> datetime: ...
    @property
    def demo(self) -> bool: ...
    @property
    def totals(self) -> pl.DataFrame: ...
    def answers(self, lang: Lang) -> tuple[str, str, str]: ...
    def summary_lines(self, lang: Lang) -> list[str]: ...


_HEAD = (
    "underlying",
    "expiry",
    "forward",
    "left out",
    "delta, contracts",
    "delta for 1%, won",
    "gamma for 1%, won",
    "vega for 1 point, won",
    "theta for 1 day, won",
)


def risk_html(risk: Estimated) -> str:
    """One block of HTML; every text of the wire is escaped."""
    demo = " · DEMO" if risk.demo else ""
    head = f"{risk.account} · as of {moment(risk.as_of)} · estimates{demo}"
    lines = [text for text in (*risk.answers("en"), *risk.summary_lines("en")) if text]
    said = "".join(f"<li>{escape(line)}</li>" for line in lines)
    columns = "".join(f"<th>{name}</th>" for name in _HEAD)
    rows = "".join(_row(row) for row in risk.totals.iter_rows(named=True))
    table = f"<table><thead><tr>{columns}</tr></thead><tbody>{rows}</tbody></table>" if rows else ""
    return f"<div><p><strong>{escape(head)}</strong></p><ul>{said}</ul>{table}</div>"


def _row(row: dict[str, object]) -> str:
    cells = [
        row["underlying"],
        row["expiry"] or "–",
        level_text(_number(row["forward"])),
        f"{row['left_out']:,}",
        "–" if row["delta_contracts"] is None else f"{row['delta_contracts']:+,.2f}",
        *(signed_won(_number(row[f"{name}_won"])) for name in ("delta", "gamma", "vega", "theta")),
    ]
    return "<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in cells) + "</tr>"


def _number(value: object) -> float | None:
    return value if isinstance(value, float) else None
