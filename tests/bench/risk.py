"""Scenarios of 500 positions against QuantLib alone, and how the work grows with the positions."""

from __future__ import annotations

import QuantLib as ql  # noqa: N813  (its own name for itself)

import kis_nb
from kis_nb._risk.grid import SPOTS, VOLS
from kis_nb.demo import Book, Broker
from tests.bench.timing import compare

_ACCOUNT = "80012345-03"


def balance(rows: int) -> kis_nb.Balances:
    """Both views of an account with that many positions."""
    book = Book.sized({_ACCOUNT: rows})
    with Broker(book=book, calls_per_second=0) as broker:
        client = kis_nb.connect(
            app_key=broker.app_key,
            app_secret=broker.app_secret,
            accounts=[_ACCOUNT],
            base_url=broker.address,
            calls_per_second=1_000,
            token=broker.issue_token(),
        )
        with client:
            return client.balances(mgna_dvsn=["01", "02"])


def scenarios(risk: kis_nb.Risk) -> None:
    """41 spots, 9 volatilities and three moments, of every underlying."""
    for name in risk.underlyings:
        # What is known from before is not what is timed.
        risk._book.repricer(name)._known.clear()
        last = risk.expiries(name)[-1]
        risk.scenarios(at=["now", "night", last], underlying=name)


def bare(prices: int) -> None:
    """As many prices by QuantLib alone, of arguments that are all at hand."""
    some = 500
    arguments = (
        [ql.Option.Call, ql.Option.Put] * (some // 2),
        [950.0 + number / 5 for number in range(some)],
        [1_003.25] * some,
        [0.05] * some,
    )
    for _ in range(prices // some):
        list(map(ql.blackFormula, *arguments))


def main(rounds: int) -> None:
    """Print the lines."""
    risks = {rows: kis_nb.risk(balance(rows)) for rows in (250, 500)}
    grid = len(SPOTS) * len(VOLS) * 3
    compare(
        f"{grid} scenarios of 500 positions / as many bare prices",
        lambda: scenarios(risks[500]),
        lambda: bare(grid * 500),
        reach="150 ms",
        rounds=rounds,
    )
    compare(
        "scenarios of 500 positions / of 250",
        lambda: scenarios(risks[500]),
        lambda: scenarios(risks[250]),
        reach="2.0",
        rounds=rounds,
    )
    held = balance(500)
    compare(
        "risk of 500 positions, Greeks and answers / 500 bare prices",
        lambda: (risk := kis_nb.risk(held), risk.positions, risk.totals, risk.answers()),
        lambda: bare(500),
        reach="",
        rounds=rounds,
    )
    moved = risks[500]
    compare(
        "one step of a slider, 500 positions / 500 bare prices",
        lambda: moved.scenarios(spot=-0.03, vol=0.2, at=["now", "night"]),
        lambda: bare(500),
        reach="50 ms",
        rounds=rounds,
    )
