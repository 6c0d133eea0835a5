"""The colours of charts and dashboard, for a light and a dark page.

Charts write the light colours, since a PNG, a PDF and other programs know no CSS variables. On a
page each of them is replaced by its CSS variable (`live`), which follows the page's theme.
"""

from __future__ import annotations

from typing import NamedTuple


class Colour(NamedTuple):
    """One colour.

    Attributes:
        light, dark: as CSS, on a page of either kind.
        host: CSS variables of JupyterLab and of VS Code that come before it where they are set.
    """

    light: str
    dark: str
    host: tuple[str, ...] = ()


# What charts are drawn with. No two are the same in light, since `live` knows them by their values.
CHART = {
    "ink": Colour("#1f2328", "#e6edf3", ("--jp-ui-font-color1", "--vscode-editor-foreground")),
    "soft": Colour("#59636e", "#9da7b1", ("--jp-ui-font-color2", "--vscode-descriptionForeground")),
    "line": Colour("#d1d9e0", "#3d444d", ("--jp-border-color2",)),
    "paper": Colour("#fffffe", "#111111", ("--jp-layout-color0", "--vscode-editor-background")),
    "red": Colour("#c8102e", "#ff6b70"),
    "blue": Colour("#0b5cd5", "#6ea8ff"),
    "green": Colour("#087f3f", "#4cc38a"),
    "grey": Colour("#8c959f", "#8b949e"),
    "cash": Colour("#2f6f8f", "#5ba4c9"),
    "substitute": Colour("#8a6fb0", "#b39ddb"),
    "foreign": Colour("#b58a2f", "#d9b65c"),
    "excess": Colour("#c9d6cf", "#3c4a43"),
    "alert": Colour("#b3261e", "#ff8a80"),
}
# What the dashboard has besides.
PAGE = {
    "raised": Colour("#ffffff", "#1a1a1a", ("--jp-layout-color1", "--vscode-editor-background")),
    "sunk": Colour("#f3f5f7", "#262626", ("--jp-layout-color2", "--vscode-input-background")),
    "focus": Colour("#0969da", "#4493f8", ("--jp-brand-color1", "--vscode-focusBorder")),
    "alert-back": Colour("#fdecea", "#4a1f1c"),
    "shadow": Colour("rgb(0 0 0 / 25%)", "rgb(0 0 0 / 25%)"),
}

# Which colours profit and loss have, by the choice `Colors`.
PROFIT_AND_LOSS = {"kr": ("red", "blue"), "us": ("green", "red")}

LIGHT = {name: colour.light for name, colour in CHART.items()}
DARK = {name: colour.dark for name, colour in CHART.items()}
_LIVE = {colour: f"var(--kis-{name}, {colour})" for name, colour in LIGHT.items()}


def live(colour: str) -> str:
    """The CSS variable in place of one of the charts' light colours; any other text as it is."""
    return _LIVE.get(colour, colour)


_PARTS = ":is(.kis-chart, .kis-dashboard, #kis-tip)"
# Dark pages have an attribute in JupyterLab and Notebook, and a class in VS Code.
_DARK_PAGE = ':is([data-jp-theme-light="false"], .vscode-dark)'


def css() -> str:
    """The colours as CSS variables ``--kis-…`` of charts, tooltip and dashboard.

    ``--kis-up`` and ``--kis-down`` are those of profit and loss on a dashboard, which names its
    choice in the attribute ``data-colors``; without one they are ``kr``.
    """
    colours = CHART | PAGE
    light = {name: _variable(colour.light, colour.host) for name, colour in colours.items()}
    dark = {name: _variable(colour.dark, colour.host) for name, colour in colours.items()}
    profit = {
        colors: {"up": f"var(--kis-{up})", "down": f"var(--kis-{down})"}
        for colors, (up, down) in PROFIT_AND_LOSS.items()
    }
    return "".join(
        (
            _rule(_PARTS, light),
            _rule(f"{_DARK_PAGE} {_PARTS}", dark),
            _rule(".kis-dashboard", profit["kr"]),
            _rule('.kis-dashboard[data-colors="us"]', profit["us"]),
        )
    )


def _variable(colour: str, host: tuple[str, ...]) -> str:
    """``var(--first, var(--second, colour))``."""
    for name in reversed(host):
        colour = f"var({name}, {colour})"
    return colour


def _rule(selector: str, colours: dict[str, str]) -> str:
    lines = "".join(f"  --kis-{name}: {value};\n" for name, value in colours.items())
    return f"{selector} {{\n{lines}}}\n"
