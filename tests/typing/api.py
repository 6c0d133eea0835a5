"""The public face as its users write it, read by mypy alone and never run.

A name that goes missing, an argument that changes its type, or a result that turns into Any shows
here before it shows at a user's.
"""

from __future__ import annotations

import threading
from datetime import date, datetime
from pathlib import Path
from typing import assert_type

import polars as pl

import kis_nb


def connects() -> None:
    """Each way to name who and where."""
    assert_type(kis_nb.connect(), kis_nb.Client)
    assert_type(kis_nb.connect(demo=True), kis_nb.Client)
    kis_nb.connect(
        app_key="key",
        app_secret="secret",
        accounts=["80012345-03"],
        base_url="http://127.0.0.1:8000",
        custtype="P",
        corporate=None,
        mac_address=None,
        token=None,
        cache_dir=None,
        tr_id="CTFN6118R",
        calls_per_second=15,
        timeout=(3.05, 10),
        retries=5,
    )
    kis_nb.connect(
        keys=[
            {"name": "hedge", "app_key": "key", "app_secret": "secret", "account": "80012345-03"},
            {"app_key": "key", "app_secret": "secret", "account": "70012345-03", "token": None},
        ]
    )
    kis_nb.connect(
        custtype="B",
        corporate={
            "personalseckey": "key",
            "seq_no": "01",
            "phone_number": "01000000000",
            "ip_addr": "127.0.0.1",
        },
        token="token",
        cache_dir=Path("cache"),
        mac_address="00:00:00:00:00:00",
        tr_id="JTCE6001R",
        calls_per_second=1,
    )


def pulls(client: kis_nb.Client) -> None:
    """One account, several accounts, and the default client."""
    assert_type(client.balance(), kis_nb.Balance)
    assert_type(
        client.balance("80012345-03", mgna_dvsn="01", excc_stat_cd="1"),
        kis_nb.Balance,
    )
    client.balance(
        client.accounts[0],
        mgna_dvsn=kis_nb.Margin.MAINTENANCE,
        excc_stat_cd=kis_nb.Basis.PURCHASE,
        progress=print,
        cancel=threading.Event(),
    )
    assert_type(client.balances(), kis_nb.Balances)
    client.balances(
        ["80012345-03", client.accounts[0]],
        mgna_dvsn=["01", kis_nb.Margin.MAINTENANCE],
        excc_stat_cd=["1", "2"],
    )
    client.balances("hedge", mgna_dvsn=2, excc_stat_cd=[1, 2])
    assert_type(kis_nb.balance("80012345-03", mgna_dvsn="02", excc_stat_cd=1), kis_nb.Balance)
    assert_type(client.demo, bool)
    for account in client.accounts:
        assert_type(client.names[account], str | None)
    client.balance("hedge")
    assert_type(client.quotes("A01612"), pl.DataFrame)
    client.quotes(["A01612", "B01612B39"], max_age=0.5, cancel=threading.Event())
    assert_type(client.margin_detail("hedge").components, pl.DataFrame)
    assert_type(client.margin_detail().as_of, datetime)
    assert_type(client.margin_rates(), pl.DataFrame)
    client.margin_rates("2026-11-20")
    client.margin_rates(date(2026, 11, 20))
    client.close()


def reads(balance: kis_nb.Balance, many: kis_nb.Balances) -> None:
    """What a pull gives."""
    assert_type(balance.account.masked, str)
    assert_type(balance.mgna_dvsn, kis_nb.Margin)
    assert_type(balance.excc_stat_cd, kis_nb.Basis)
    assert_type(balance.as_of, datetime)
    assert_type(balance.pages, int)
    assert_type(balance.demo, bool)
    assert_type(balance.positions, pl.DataFrame)
    assert_type(balance.summary, pl.DataFrame)
    assert_type(balance.reconcile(), pl.DataFrame)
    balance.relabel("ko")
    balance.relabel("en")
    assert_type(many.positions, pl.DataFrame)
    assert_type(many.summary, pl.DataFrame)
    assert_type(many.of("800*****-03"), kis_nb.Balances)
    assert_type(many.equity(), pl.DataFrame)
    assert_type(many.pnl("position", mgna_dvsn="01", excc_stat_cd=2), pl.DataFrame)
    assert_type(many.index_stress([-2.5, "0", 10]), pl.DataFrame)
    assert_type(many.reconcile(), pl.DataFrame)
    print(many.headline("en"))
    for failure in many.failures:
        print(failure)


def looks(balance: kis_nb.Balance, many: kis_nb.Balances) -> None:
    """The glossary, tables, the charts and the widget."""
    assert_type(kis_nb.fields(), pl.DataFrame)
    assert_type(kis_nb.table(many.equity(), lang="en", colors="us", rows=5), kis_nb.Table)
    kis_nb.charts.pnl(many, by="product").save("pnl.html")
    kis_nb.charts.index_stress(many, account="800*****-03", moves=[-1, 0, 1]).save("stress.html")
    kis_nb.charts.pnl(balance).save("pnl.html")
    kis_nb.charts.margin(balance).save("margin.html")
    risk = kis_nb.risk(balance)
    kis_nb.charts.scenarios(risk, underlying="KOSPI 200", at="night").save("scenarios.html")
    kis_nb.charts.risk_curve(risk, expiry="2026-12-10", lang="en").save("curve.html")
    kis_nb.charts.margin_components(risk, theme="dark").save("components.html")
    dashboard = kis_nb.dashboard(account="hedge")
    dashboard.mgna_dvsn = "02"
    dashboard.observe(print, "balance")


def fails(client: kis_nb.Client) -> None:
    """Each error and what it carries."""
    try:
        client.balance()
    except (kis_nb.ConfigError, kis_nb.AuthError, kis_nb.TransportError, kis_nb.RateLimitError):
        raise
    except kis_nb.ApiError as error:
        assert_type((error.rt_cd, error.msg_cd, error.msg1, error.tr_id), tuple[str, str, str, str])
    except kis_nb.DecimalError as error:
        assert_type(
            (error.field, error.value, error.page, error.row),
            tuple[str, str, int | None, int | None],
        )
    except kis_nb.DecodeError as error:
        assert_type(error.page, int | None)
    except kis_nb.PaginationError as error:
        assert_type(error.pages, int)
        assert_type(error.partial, kis_nb.Balance | None)
    except kis_nb.KisError:
        raise


def wrong(client: kis_nb.Client) -> None:
    """What the checker refuses: each ignore fails once its mistake is allowed."""
    client.balance(80012345)  # type: ignore[arg-type]
    client.balance(mgna_dvsn=1.0)  # type: ignore[arg-type]
    client.balance("80012345-03", "01")  # type: ignore[call-arg]
    kis_nb.connect(demo="yes")  # type: ignore[arg-type]
    kis_nb.connect(keys={"app_key": "key"})  # type: ignore[dict-item]
