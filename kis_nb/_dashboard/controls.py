"""The dashboard's controls: ipywidgets with their options and labels; what they do is elsewhere.

Radio buttons and not `ToggleButtons`, because those do not tell a screen reader which is pressed.
The account control's value is an index, so that no repr holds an account number.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, TypeAlias

import ipywidgets as w
from ipywidgets.widgets.widget_description import DescriptionStyle

from kis_nb._choices import AUTO_SECONDS, Colors, Lang
from kis_nb._codes import Basis, Margin
from kis_nb._dashboard.texts import say
from kis_nb._frames.product_lines import UNDERLYINGS

_DROPDOWNS = ("account", "auto", "language", "colors", "payoff_expiry")
_LABELLED = ("account", "mgna_dvsn", "excc_stat_cd", "auto")
# What the charts of one balance show.
_SWITCHES = ("pnl_by", "book_by", "book_measure", "payoff_on", "payoff_expiry")
_OVER_CHARTS = ("pnl_by", "book_by", "book_measure", "payoff_on", "history_span")

# Label and value of each option of a control.
_Options: TypeAlias = list[tuple[str, Any]]


class Controls:
    """All controls, by name: ``controls["mgna_dvsn"]`` is a widget.

    Args:
        accounts: labels, with names where there are some, in the client's order.
        lang, colors, auto: the first choices; `auto` is one of `AUTO_SECONDS`.

    Attributes:
        widgets: the controls but for the Refresh button, by name.
        refresh: the Refresh button.
        relabelling: code is changing the controls, so their changes are nobody's choice.
        layout: shared by what the page shows whole; whatever can be hidden has its own. Each layout
            is a widget, with a message that makes it and a model on the page.
    """

    def __init__(self, accounts: Sequence[str], lang: Lang, colors: Colors, auto: int) -> None:
        self._accounts = tuple(accounts)
        self._expiries: Mapping[str, int] = {}
        # The day that somebody chose; None while the choice is left to the chart.
        self._chosen_expiry: str | None = None
        self._tabs: tuple[str, ...] = ()
        self.relabelling = False
        self._options: dict[str, Callable[[Lang], _Options]] = {
            "account": self._account_options,
            "mgna_dvsn": lambda to: [(one.label_with_code(to), one.value) for one in Margin],
            "excc_stat_cd": lambda to: [(one.label_with_code(to), one.value) for one in Basis],
            "auto": lambda to: [(_interval(seconds, to), seconds) for seconds in AUTO_SECONDS],
            "language": lambda _: [("한국어", "ko"), ("English", "en")],
            "colors": _options_of("colors", ("kr", "us")),
            "pnl_by": _options_of("pnl", ("position", "kind", "realized")),
            "book_by": _options_of("book", ("product", "strike")),
            "book_measure": _options_of("book", ("quantity", "value")),
            "payoff_on": _options_of("payoff", UNDERLYINGS),
            "payoff_expiry": self._expiry_options,
            # Laid out where there are several tabs.
            "tab": lambda to: [(say(f"tab_{tab}", to), tab) for tab in ("now", *self._tabs)],
            "history_span": _options_of("history", ("night", "week", "year")),
        }
        # The page waits for every control that it is to name.
        self._absent = {"tab", "history_span"}
        chosen = {"language": lang, "colors": colors, "auto": auto}
        self.layout, width, style = w.Layout(), _natural_width(), DescriptionStyle()
        self.widgets: dict[str, Any] = {}
        # Everything in the message that makes a control, since each change is a message more.
        for name, options in self._options.items():
            kind = w.Dropdown if name in _DROPDOWNS else w.RadioButtons
            more: dict[str, Any] = {} if kind is w.Dropdown else {"orientation": "horizontal"}
            more |= {"value": chosen[name]} if name in chosen else {}
            classes = [css_class(name), *(["kis-switch"] if name in _OVER_CHARTS else [])]
            self.widgets[name] = kind(
                options=options(lang),
                description=say(name, lang) if name in _LABELLED else "",
                style=style,
                layout=_natural_width() if name in self._absent else width,
                _dom_classes=classes,
                **more,
            )
        self.widgets["payoff_expiry"].observe(self._on_expiry, "value")
        self.refresh = w.Button(
            description=say("refresh", lang), layout=width, _dom_classes=["kis-refresh"]
        )

    def __getitem__(self, name: str) -> Any:
        return self.widgets[name]

    def on_choice(
        self,
        control: Callable[[Any], None],
        switch: Callable[[], None],
        refresh: Callable[[], None],
    ) -> None:
        """Have these called from now on.

        Args:
            control: with a change of the account, a code, the interval, language or colours.
            switch: when somebody changed what the charts of one balance show.
            refresh: when Refresh is clicked.
        """
        for name in (*_LABELLED, "language", "colors"):
            self.widgets[name].observe(control, "value")

        def switched(_change: Any) -> None:
            if not self.relabelling:
                switch()

        for name in _SWITCHES:
            self.widgets[name].observe(switched, "value")
        self.refresh.on_click(lambda _: refresh())

    def _account_options(self, lang: Lang) -> _Options:
        if not self._accounts:
            return [(say("no_account_option", lang), -1)]
        return [(label, index) for index, label in enumerate(self._accounts)]

    def _expiry_options(self, lang: Lang) -> _Options:
        if not self._expiries:
            return [(say("no_expiry_option", lang), "")]
        return [
            (say("expiry_option" if n != 1 else "expiry_option_one", lang, day=day, n=n), day)
            for day, n in self._expiries.items()
        ]

    def _on_expiry(self, change: Any) -> None:
        if not self.relabelling:
            self._chosen_expiry = change["new"]

    def relabel(self, lang: Lang) -> None:
        """Put every control's options and label into a language, and keep its value."""
        self.relabelling = True
        try:
            for name, widget in self.widgets.items():
                value, options = widget.value, self._options[name](lang)
                if tuple(options) != widget.options:
                    # In one message: the page never sees the list without its choice.
                    with widget.hold_sync():
                        widget.options = options
                        widget.value = value
                if name in _LABELLED:
                    widget.description = say(name, lang)
            self.refresh.description = say("refresh", lang)
        finally:
            self.relabelling = False

    def names(self, lang: Lang, without: Collection[str] = ()) -> dict[str, str]:
        """Accessible names by CSS class, for the controls that ipywidgets does not name.

        Args:
            lang: of the names.
            without: controls that the page does not have yet.
        """
        keys = {name: name for name in self._options if name not in {*self._absent, *without}}
        keys |= {name: f"{name}_name" for name in ("mgna_dvsn", "excc_stat_cd", "auto")}
        return {css_class(name): say(key, lang) for name, key in keys.items()}

    def offer_tabs(self, tabs: Sequence[str]) -> None:
        """Offer these tabs beside the first one. Call it before the page is laid out.

        Args:
            tabs: names, like ``risk``, in their order.
        """
        self._tabs = tuple(tabs)
        self._absent -= {"tab", *(["history_span"] if "history" in tabs else [])}
        self.relabel(self.widgets["language"].value)

    def set(self, name: str, value: Any) -> None:
        """Set a control's value on the page, without the dashboard taking it for a choice."""
        self.relabelling = True
        try:
            if self.widgets[name].value != value:
                self.widgets[name].value = value
        finally:
            self.relabelling = False

    def name_of(self, widget: object) -> str:
        """The name of one of these widgets."""
        return next(name for name, one in self.widgets.items() if one is widget)

    def list_accounts(self, accounts: Sequence[str], lang: Lang) -> None:
        """Offer accounts with these labels from now on."""
        self._accounts = tuple(accounts)
        self.relabel(lang)

    def list_expiries(self, expiries: Mapping[str, int], default: str, lang: Lang) -> None:
        """Offer these days for the payoff; only changes are sent to the page.

        Args:
            expiries: days like ``2026-12-10`` and how many positions expire on each.
            default: the day that is chosen unless somebody chose one that is still there.
            lang: of the options.
        """
        widget = self.widgets["payoff_expiry"]
        self._expiries = dict(expiries)
        if self._chosen_expiry not in expiries:
            self._chosen_expiry = None
        chosen = default if self._chosen_expiry is None else self._chosen_expiry
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

    @property
    def chosen_expiry(self) -> str:
        """The day that somebody chose for the payoff; blank for each balance's own default."""
        return self._chosen_expiry or ""

    @property
    def chart_choice(self) -> dict[str, str]:
        """What the controls over the charts say, with the expiry that somebody chose."""
        values = {name: self.widgets[name].value for name in _SWITCHES}
        return values | {"payoff_expiry": self.chosen_expiry}

    def disable(self) -> None:
        """Disable what only a dashboard that pulls can use."""
        for name in ("account", "mgna_dvsn", "excc_stat_cd", "auto"):
            self.widgets[name].disabled = True
        self.refresh.disabled = True

    def close(self) -> None:
        """Close every control's channel to the page."""
        close_all(*self.widgets.values(), self.refresh)


def close_all(*widgets: w.Widget) -> None:
    """Close widgets with their children, layouts and styles.

    ipywidgets closes each alone and keeps the others, with whatever they hold, for as long as the
    kernel lives.
    """
    for widget in widgets:
        close_all(*getattr(widget, "children", ()))
        close_all(*(getattr(widget, name) for name in ("layout", "style") if name in widget.keys))
        widget.close()


def css_class(name: str) -> str:
    """The CSS class of a control."""
    return "kis-" + name.replace("_", "-")


def _natural_width() -> w.Layout:
    """As wide as the labels need: ipywidgets' own 300 px do not fit Korean and 600 px of page."""
    return w.Layout(width="auto")


def _interval(seconds: int, lang: Lang) -> str:
    if seconds == 0:
        return say("auto_off", lang)
    if seconds < 60:
        return say("auto_seconds", lang, n=seconds)
    return say("auto_minutes", lang, n=seconds // 60)


def _options_of(prefix: str, values: Sequence[str]) -> Callable[[Lang], _Options]:
    """Options with the texts ``{prefix}_{value}``."""
    return lambda lang: [(say(f"{prefix}_{value}", lang), value) for value in values]
