"""What a saved notebook shows of a dashboard: status line, cards, the first positions, and of an
opened Risk tab answers and totals, as HTML.

It is made of the panels' own JSON, so that it says what the page said, and written with styles at
the elements, the only ones that JupyterLab leaves in a notebook that it does not trust. The colours
are those of paper: in a dark theme it is a light card.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from kis_nb._choices import Colors, Lang
from kis_nb._dashboard.panel_json import Json
from kis_nb._dashboard.texts import say
from kis_nb._frames.text import SEPARATOR
from kis_nb._widgets.palette import LIGHT, PROFIT_AND_LOSS

# Enough to recognise the account; the report and the exports have all of them.
_ROWS = 10
_COLUMNS = ("prdt_name", "side", "cblc_qty", "evlu_pfls_amt", "evlu_amt", "idx_clpr")

_INK, _SOFT, _LINE = (LIGHT[name] for name in ("ink", "soft", "line"))
_BOX = (
    f"background:#ffffff;color:{_INK};border:1px solid {_LINE};padding:12px;"
    "overflow-x:auto;font-variant-numeric:tabular-nums"
)
_CELL = f"background:#ffffff;color:{_INK};padding:4px 12px 4px 0;vertical-align:top"


def saved_head_html(
    head: Json,
    table: Json | None,
    lang: Lang,
    colors: Colors,
    risk: tuple[Json, Json] | None = None,
) -> str:
    """The HTML of a dashboard's head.

    Args:
        head: the parts of the head panel.
        table: the positions; None before the first balance.
        lang, colors: of the dashboard.
        risk: the parts of the Risk tab's two panels; None before it was opened.
    """
    tones = _tones(colors)
    status = [*head["status"], "DEMO"] if head["demo"] else head["status"]
    parts = [
        _line(say("saved", lang), f"color:{_SOFT};font-size:90%"),
        _line(SEPARATOR.join(status), "font-weight:bold"),
        _line(head["note"], f"color:{_SOFT}"),
        *(_line(text, f"color:{LIGHT['alert']};font-weight:bold") for text in _alerts(head)),
        _cards(head["cards"], tones),
    ]
    if table is not None:
        parts.append(_positions(table, lang, tones))
    if risk is not None:
        parts.append(_risk(*risk, tones))
    return f'<div style="{_BOX}">{"".join(parts)}</div>'


def _tones(colors: Colors) -> dict[str, str]:
    up, down = PROFIT_AND_LOSS[colors]
    return {"up": f"color:{LIGHT[up]}", "down": f"color:{LIGHT[down]}"}


def _alerts(head: Json) -> list[str]:
    error = head["error"]
    return [head["call"] or "", " ".join(filter(None, (error or {}).values()))]


def _line(text: str, style: str) -> str:
    return f'<div style="{style}">{escape(text)}</div>' if text else ""


def _cards(cards: Iterable[Json], tones: dict[str, str]) -> str:
    """A table: what each figure is, the figure, and what is said below it."""
    rows = []
    for card in cards:
        tone = f"color:{LIGHT['alert']}" if card.get("warning") else tones.get(card.get("tone", ""))
        below = SEPARATOR.join(
            " ".join(filter(None, (line["label"], line["value"]))) for line in card.get("sub", [])
        )
        figure = " ".join(filter(None, (card["value"], card.get("unit", ""))))
        bold = f"{tone or ''};font-weight:bold"
        cells = (
            _cell(card["label"]),
            _cell(figure, number=True, style=bold),
            _cell(below, style=f"color:{_SOFT};white-space:normal"),
        )
        rows.append(f"<tr>{''.join(cells)}</tr>")
    return f'<table style="margin:8px 0">{"".join(rows)}</table>'


def _positions(table: Json, lang: Lang, tones: dict[str, str]) -> str:
    keys = [column["key"] for column in table["columns"]]
    chosen = [(keys.index(name), table["columns"][keys.index(name)]) for name in _COLUMNS]
    rows = table["rows"]
    if not rows:
        return _line(say("no_positions", lang), f"color:{_SOFT}")
    heads = "".join(_cell(one["label"], number=one["number"], tag="th") for _, one in chosen)
    body = "".join(
        "<tr>"
        + "".join(
            _cell(row["cells"][at], number=one["number"], style=tones.get(row["tones"][at], ""))
            for at, one in chosen
        )
        + "</tr>"
        for row in rows[:_ROWS]
    )
    more = len(rows) - _ROWS
    return f"<table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>" + _line(
        say("more_positions", lang, n=f"{more:,}") if more > 0 else "", f"color:{_SOFT}"
    )


def _risk(head: Json, tables: Json, tones: dict[str, str]) -> str:
    """The estimates: what they are of, the answers, what is lacking, and the totals."""
    if "answers" not in head or "totals" not in tables:
        return ""  # it is being opened
    alert, soft = f"color:{LIGHT['alert']};font-weight:bold", f"color:{_SOFT}"
    parts = [
        *(_line(text, "font-weight:bold") for text in head["answers"]),
        *(_line(text, alert) for text in (*head["faults"], *head["lacks"])),
        *(_line(text, soft) for text in (*head["remarks"], head["empty"])),
    ]
    if not any(parts):
        return ""
    first = _line(SEPARATOR.join(filter(None, (head["words"]["risk"], head["of"]))), soft)
    totals = tables["totals"]
    if totals is not None:
        parts.append(_line(head["words"]["totals"], f"{soft};margin-top:8px"))
        parts.append(_totals(totals, tones))
    return f'<div style="margin-top:12px">{first}{"".join(parts)}</div>'


def _totals(totals: Json, tones: dict[str, str]) -> str:
    texts = totals["texts"]

    def line(cells: list[list[str]], tag: str) -> str:
        made = [
            _cell(
                SEPARATOR.join(cell),
                number=at >= texts,
                style=tones.get({"▲": "up", "▼": "down"}.get(cell[0][:1], ""), ""),
                tag=tag,
            )
            for at, cell in enumerate(cells)
        ]
        return f"<tr>{''.join(made)}</tr>"

    rows = "".join(line(row, "td") for row in totals["rows"])
    return f"<table><thead>{line(totals['heads'], 'th')}</thead><tbody>{rows}</tbody></table>"


def _cell(text: str, *, number: bool = False, style: str = "", tag: str = "td") -> str:
    align = "right" if number else "left"
    look = f"{_CELL};white-space:nowrap;text-align:{align};{style}".rstrip(";")
    return f'<{tag} style="{look}">{escape(text)}</{tag}>'
