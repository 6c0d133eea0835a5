"""The dashboard's controls: ipywidgets with their words, and no idea of what they do.

Under the face `_dashboard`: imports `_feed` (for the intervals), `_fields` and `_words`.

Radio buttons and not `ToggleButtons`, because those tell a screen reader nothing of which is
pressed. An account's value is its place in the list, so that no repr holds a number.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import ipywidgets as w

from kis_nb._codes import Basis, Lang, Margin
from kis_nb._dashboard.fetcher import AUTO_SECONDS
from kis_nb._dashboard.texts import say

UNDERLYINGS = ("KOSPI 200", "KOSDAQ 150", "USD/KRW")


class Controls:
    """All controls, by name.

    Args:
        accounts: labels, with names where there are some, in the client's order.
        lang, colors, auto: what is chosen first.

    Attributes:
        relabelling: the controls are being given new words, and their changes mean nothing.
    """

    def __init__(self, accounts: Sequence[str], lang: Lang, colors: str, auto: int) -> None:
        self._accounts = tuple(accounts)
        self._expiries: Mapping[str, int] = {}
        # The day that somebody chose; None while the choice is left to the chart.
        self._expiry: str | None = None
        self.relabelling = False
        self._options: dict[str, Callable[[Lang], list[tuple[str, Any]]]] = {
            "account": self._account_options,
            "mgna_dvsn": lambda to: [(one.label_with_code(to), one.value) for one in Margin],
            "excc_stat_cd": lambda to: [(one.label_with_code(to), one.value) for one in Basis],
            "auto": lambda to: [(say(f"auto_{n}", to), n) for n in AUTO_SECONDS],
            "language": lambda _: [("한국어", "ko"), ("English", "en")],
            "colors": lambda to: [(say(f"colors_{one}", to), one) for one in ("kr", "us")],
            "pnl_by": _worded("pnl", ("position", "kind", "realized")),
            "book_by": _worded("book", ("product", "strike")),
            "book_measure": _worded("book", ("quantity", "value")),
            "payoff_on": _worded("payoff", UNDERLYINGS),
            "payoff_expiry": self._expiry_options,
        }
        chosen = {"language": lang, "colors": colors, "auto": auto}
        self.widgets: dict[str, Any] = {}
        for name, options in self._options.items():
            kind = w.Dropdown if name in _MENUS else w.RadioButtons
            more = {} if kind is w.Dropdown else {"orientation": "horizontal"}
            widget = kind(options=options(lang), layout=_natural(), **more)
            if name in chosen:
                widget.value = chosen[name]
            widget.add_class(css(name))
            self.widgets[name] = widget
        for name in _RADIOS_OVER_CHARTS:
            self.widgets[name].add_class("kis-switch")
        self.widgets["payoff_expiry"].observe(self._on_expiry, "value")
        self.refresh = w.Button(layout=_natural())
        self.refresh.add_class("kis-refresh")
        self.relabel(lang)

    def __getitem__(self, name: str) -> Any:
        return self.widgets[name]

    def _account_options(self, lang: Lang) -> list[tuple[str, Any]]:
        if not self._accounts:
            return [(say("no_account_option", lang), -1)]
        return [(label, at) for at, label in enumerate(self._accounts)]

    def _expiry_options(self, lang: Lang) -> list[tuple[str, Any]]:
        if not self._expiries:
            return [(say("no_expiry_option", lang), "")]
        return [
            (say("expiry_option" if n != 1 else "expiry_option_one", lang, day=day, n=n), day)
            for day, n in self._expiries.items()
        ]

    def _on_expiry(self, change: Any) -> None:
        if not self.relabelling:
            self._expiry = change["new"]

    def relabel(self, lang: Lang) -> None:
        """Give every control its words, and leave what is chosen."""
        self.relabelling = True
        try:
            for name, widget in self.widgets.items():
                value, options = widget.value, self._options[name](lang)
                if tuple(options) != widget.options:
                    # In one message: the page never sees the list without its choice.
                    with widget.hold_sync():
                        widget.options = options
                        widget.value = value
                if name in _DESCRIBED:
                    widget.description = say(name, lang)
            self.refresh.description = say("refresh", lang)
        finally:
            self.relabelling = False

    def names(self, lang: Lang) -> dict[str, str]:
        """Accessible names by CSS class, for what ipywidgets does not name."""
        words = {name: name for name in self._options}
        words |= {f"{name}": f"{name}_name" for name in ("mgna_dvsn", "excc_stat_cd", "auto")}
        return {css(name): say(word, lang) for name, word in words.items()}

    def set(self, name: str, value: Any) -> None:
        """Choose without anybody being told but the page."""
        self.relabelling = True
        try:
            if self.widgets[name].value != value:
                self.widgets[name].value = value
        finally:
            self.relabelling = False

    def name_of(self, widget: object) -> str:
        """What this one is called here."""
        return next(name for name, one in self.widgets.items() if one is widget)

    def list_accounts(self, accounts: Sequence[str], lang: Lang) -> None:
        """Offer these accounts from now on."""
        self._accounts = tuple(accounts)
        self.relabel(lang)

    def list_expiries(self, expiries: Mapping[str, int], default: str, lang: Lang) -> None:
        """Offer these days for the payoff; the page is told only of what is new.

        Args:
            expiries: days like ``2026-12-10`` and how many positions expire on each.
            default: the day that is chosen unless somebody chose one that is still there.
            lang: of the options.
        """
        widget = self.widgets["payoff_expiry"]
        self._expiries = dict(expiries)
        if self._expiry not in expiries:
            self._expiry = None
        chosen = default if self._expiry is None else self._expiry
        options = tuple(self._expiry_options(lang))
        self.relabelling = True
        try:
            # In one message, as in `relabel`.
            with widget.hold_sync():
                if options != widget.options:
                    widget.options = options
                if widget.value != chosen:
                    widget.value = chosen
        finally:
            self.relabelling = False

    def disable(self) -> None:
        """There is nothing to pull from."""
        for name in ("account", "mgna_dvsn", "excc_stat_cd", "auto"):
            self.widgets[name].disabled = True
        self.refresh.disabled = True

    def close(self) -> None:
        """Close every control's channel to the page."""
        close_all(*self.widgets.values(), self.refresh)


def close_all(*widgets: w.Widget) -> None:
    """Close these with all that is in them. ipywidgets closes each alone, and keeps the others, and
    whatever they hold, for as long as the kernel lives.
    """
    for widget in widgets:
        close_all(*getattr(widget, "children", ()))
        close_all(*(getattr(widget, name) for name in ("layout", "style") if name in widget.keys))
        widget.close()


_MENUS = ("account", "auto", "language", "colors", "payoff_expiry")
_DESCRIBED = ("account", "mgna_dvsn", "excc_stat_cd", "auto")
_RADIOS_OVER_CHARTS = ("pnl_by", "book_by", "book_measure", "payoff_on")


def check(name: str, value: object, known: Sequence[object]) -> None:
    """Raise ValueError unless the argument called `name` is one of these."""
    if value not in known:
        raise ValueError(f"{name} takes one of {', '.join(map(repr, known))}; got {value!r}")


def css(name: str) -> str:
    """The CSS class of a control."""
    return "kis-" + name.replace("_", "-")


def _natural() -> w.Layout:
    """As wide as the words need: ipywidgets' own 300 px do not fit Korean and 600 px of page."""
    return w.Layout(width="auto")


def _worded(prefix: str, values: Sequence[str]) -> Callable[[Lang], list[tuple[str, Any]]]:
    return lambda lang: [(say(f"{prefix}_{value}", lang), value) for value in values]
