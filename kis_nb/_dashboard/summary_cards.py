"""The summary cards and other figures of the head panel as JSON, every digit exact."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal, localcontext
from typing import TYPE_CHECKING

from kis_nb._choices import Lang
from kis_nb._codes import Basis, Margin
from kis_nb._dashboard.panel_json import Json
from kis_nb._dashboard.texts import say
from kis_nb._frames.decimal_context import EXACT, exactly
from kis_nb._frames.prices import is_unpriced
from kis_nb._frames.text import arrowed, exact, signed, tone

if TYPE_CHECKING:
    from kis_nb._frames.balance import Balance
    from kis_nb._frames.equity import Equity


def figures(balance: Balance) -> dict[str, Decimal | None]:
    """The one row of the summary."""
    return balance.summary.row(0, named=True)


def _plus(*parts: Decimal | None) -> Decimal | None:
    """The sum; unknown when a part is."""
    known = [part for part in parts if part is not None]
    with localcontext(EXACT):
        return sum(known, Decimal(0)) if len(known) == len(parts) else None


def _minus(whole: Decimal | None, part: Decimal | None) -> Decimal | None:
    return _plus(whole, None if part is None else -part)


def _percent(part: Decimal | None, whole: Decimal | None) -> Decimal | None:
    """To one decimal; None when there is no whole to measure against."""
    if part is None or whole is None or whole <= 0:
        return None
    with localcontext(EXACT):
        return (part * 100 / whole).quantize(Decimal("0.1"))


def _percent_text(percent: Decimal | None) -> str:
    return "–" if percent is None else f"{percent:,f}%"


@exactly
def cards(
    balance: Balance,
    before: Balance | None,
    maintenance: Balance | None,
    lang: Lang,
    others: Sequence[Balance] = (),
    maintenance_at: str = "",
) -> list[Json]:
    """The summary cards.

    Args:
        balance: the one on display.
        before: the pull of the same view before it; each figure then says its change.
        maintenance: a pull with MGNA_DVSN 02 from about the same time, which tells where a margin
            call begins; without one, a figure of the wire's own (``mmga_tot_amt``) is used.
        lang: of the labels.
        others: more pulls of the account, for the equity of this moment.
        maintenance_at: when `maintenance` was pulled if that is another moment, else blank.
    """
    now = figures(balance)
    then = figures(before) if before is not None else None

    def total(of: dict[str, Decimal | None]) -> Decimal | None:
        return _plus(of["evlu_pfls_amt_smtl"], of["trad_pfls_amt_smtl"])

    def change(new: Decimal | None, old: Decimal | None) -> Json | None:
        step = _minus(new, old)
        if then is None or step is None:
            return None
        text = arrowed(step) if step else say("no_change", lang)
        return {"text": text, "tone": tone(step), "title": say("change", lang)}

    def old(name: str) -> Decimal | None:
        return then[name] if then is not None else None

    from kis_nb._frames.equity import equity

    own = equity(balance, [*([maintenance] if maintenance is not None else []), *others])
    unpriced = _unpriced(balance)
    won = say("won", lang)
    pnl = total(now)
    result: list[Json] = [
        {
            "key": "pnl",
            "label": say("total_pnl", lang),
            "value": arrowed(pnl),
            "unit": won,
            "tone": tone(pnl),
            "change": change(pnl, total(then) if then is not None else None),
            "sub": [
                {
                    "label": say(word, lang),
                    "value": signed(now[name]),
                    "tone": tone(now[name]),
                }
                for word, name in (
                    ("unrealized", "evlu_pfls_amt_smtl"),
                    ("realized", "trad_pfls_amt_smtl"),
                )
            ]
            + (
                [{"label": say("without_price", lang, n=f"{unpriced:,}"), "value": ""}]
                if unpriced
                else []
            ),
        },
        _excess(own, lang, maintenance_at),
        _used(balance, now, lang) | {"change": change(now["mgna_tota"], old("mgna_tota"))},
        {
            "key": "equity",
            "label": say("equity", lang),
            "value": exact(now["prsm_dpast"]),
            "unit": won,
            "change": change(now["prsm_dpast"], old("prsm_dpast")),
        }
        | (
            {"sub": [{"label": say(f"now_{own.source}", lang), "value": exact(own.current_equity)}]}
            if own.source is not None
            else {}
        ),
    ]
    called = (now["add_mgna_tota"] or 0) > 0
    added: Json = {
        "key": "additional",
        "label": say("additional", lang),
        "value": exact(now["add_mgna_tota"]),
        "unit": won,
        "warning": called,
        "change": change(now["add_mgna_tota"], old("add_mgna_tota")),
    }
    if called:
        cash = exact(now["add_mgna_cash"])
        added["sub"] = [{"label": say("additional_cash", lang, cash=cash), "value": ""}]
    result.append(added)
    result += [
        {
            "key": key,
            "label": say(key, lang),
            "value": exact(now[name]),
            "unit": won,
            "change": change(now[name], old(name)),
        }
        for key, name in (("orderable", "ord_psbl_tota"), ("withdrawable", "wdrw_psbl_tot_amt"))
    ]
    return result


def _unpriced(balance: Balance) -> int:
    """How many positions are held without a price, and so are in no sum of P&L."""
    return sum(is_unpriced(row) for row in balance.positions.iter_rows(named=True))


def blank(lang: Lang) -> list[Json]:
    """The summary cards before the first balance: labels, and a dash for every figure."""
    words = (
        "total_pnl",
        "excess",
        "margin_used",
        "equity",
        "additional",
        "orderable",
        "withdrawable",
    )
    keys = ("pnl", "excess", "margin", "equity", "additional", "orderable", "withdrawable")
    return [
        {"key": key, "label": say(word, lang), "value": "–"}
        for key, word in zip(keys, words, strict=True)
    ]


def _used(balance: Balance, now: dict[str, Decimal | None], lang: Lang) -> Json:
    """Margin against the deposit, as a percentage and a bar."""
    margin, deposit = now["mgna_tota"], now["tot_dncl_amt"]
    used = _percent(margin, deposit)
    code = balance.mgna_dvsn.label_with_code(lang)
    card: Json = {
        "key": "margin",
        "label": f"{say('margin_used', lang)} · {code}",
        "value": _percent_text(used),
        "sub": [
            {
                "label": say("margin_of", lang, margin=exact(margin), deposit=exact(deposit)),
                "value": "",
            }
        ],
    }
    if used is not None:
        held = max(min(used, Decimal(100)), Decimal(0))
        card["bar"] = {"width": f"{held:f}%", "now": f"{held:f}", "full": used >= 100}
    return card


def _excess(own: Equity, lang: Lang, maintenance_at: str) -> Json:
    """How far the equity may fall before more margin is called."""
    excess = own.excess_margin
    card: Json = {
        "key": "excess",
        "label": say("excess", lang),
        "value": exact(excess),
        "unit": say("won", lang),
    }
    if excess is None:
        text = say("excess_unknown", lang)
    elif excess < 0:
        text, card["warning"] = say("excess_none", lang), True
    else:
        percent = _percent(excess, own.reported_equity)
        key = "excess_all" if percent is None else "excess_how"
        text = say(key, lang, percent=_percent_text(percent))
    if maintenance_at:
        # In place of a line that is there: another line would move all below it at each pull.
        text = say("excess_moment", lang, at=maintenance_at)
    sub = [{"label": text, "value": ""}]
    if own.excess_margin_now is not None:
        sub.append({"label": say(f"now_{own.source}", lang), "value": exact(own.excess_margin_now)})
        card["warning"] = card.get("warning", False) or own.excess_margin_now < 0
    return card | {"sub": sub}


def call(balance: Balance, lang: Lang) -> str | None:
    """The margin call in a sentence, or None."""
    amount = figures(balance)["add_mgna_tota"]
    return say("call", lang, amount=exact(amount)) if amount is not None and amount > 0 else None


def explain(margin: Margin, basis: Basis, lang: Lang) -> list[Json]:
    """What the chosen codes do, a sentence for each."""
    return [
        {"name": code.label_with_code(lang), "text": code.explain(lang)} for code in (margin, basis)
    ]
