"""Korea Investment & Securities night futures and options balances, in a notebook::

    import kis_nb

    client = kis_nb.connect(demo=True)
    balance = client.balance("80012345-03")
    balance.positions        # Polars, exact Decimals

Reads only. Importing this module loads nothing heavy: each name is loaded when first used.
"""

from __future__ import annotations

# Type checkers take this for typing's own; importing typing would double what importing us costs.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from kis_nb import analysis, charts
    from kis_nb._account import Account
    from kis_nb._client import Client
    from kis_nb._codes import Basis, Margin
    from kis_nb._connect import connect
    from kis_nb._dashboard.create import dashboard, show
    from kis_nb._dashboard.dashboard import Dashboard
    from kis_nb._default_client import balance, products
    from kis_nb._errors import (
        ApiError,
        AuthError,
        Cancelled,
        ConfigError,
        DecimalError,
        DecodeError,
        HistoryError,
        KisError,
        PaginationError,
        RateLimitError,
        TransportError,
    )
    from kis_nb._frames.balance import Balance
    from kis_nb._frames.balances import Balances
    from kis_nb._frames.failure import Failure
    from kis_nb._frames.glossary import fields
    from kis_nb._frames.margin_detail import MarginDetail
    from kis_nb._frames.table import Table, table
    from kis_nb._history.history import History, history
    from kis_nb._magic import load_ipython_extension, unload_ipython_extension
    from kis_nb._risk.risk import Risk, risk

_HOME = {
    "Account": "_account",
    "ApiError": "_errors",
    "AuthError": "_errors",
    "Balance": "_frames.balance",
    "Balances": "_frames.balances",
    "Basis": "_codes",
    "Cancelled": "_errors",
    "Client": "_client",
    "ConfigError": "_errors",
    "Dashboard": "_dashboard.dashboard",
    "DecimalError": "_errors",
    "DecodeError": "_errors",
    "Failure": "_frames.failure",
    "History": "_history.history",
    "HistoryError": "_errors",
    "KisError": "_errors",
    "Margin": "_codes",
    "MarginDetail": "_frames.margin_detail",
    "PaginationError": "_errors",
    "RateLimitError": "_errors",
    "Risk": "_risk.risk",
    "Table": "_frames.table",
    "TransportError": "_errors",
    "balance": "_default_client",
    "connect": "_connect",
    "dashboard": "_dashboard.create",
    "fields": "_frames.glossary",
    "history": "_history.history",
    "load_ipython_extension": "_magic",
    "products": "_default_client",
    "risk": "_risk.risk",
    "show": "_dashboard.create",
    "table": "_frames.table",
    "unload_ipython_extension": "_magic",
}

__all__ = [
    "Account",
    "ApiError",
    "AuthError",
    "Balance",
    "Balances",
    "Basis",
    "Cancelled",
    "Client",
    "ConfigError",
    "Dashboard",
    "DecimalError",
    "DecodeError",
    "Failure",
    "History",
    "HistoryError",
    "KisError",
    "Margin",
    "MarginDetail",
    "PaginationError",
    "RateLimitError",
    "Risk",
    "Table",
    "TransportError",
    "analysis",
    "balance",
    "charts",
    "connect",
    "dashboard",
    "fields",
    "history",
    "load_ipython_extension",
    "products",
    "risk",
    "show",
    "table",
    "unload_ipython_extension",
]


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name == "__version__":
        from importlib.metadata import version

        return version("kis_nb")
    if name in {"analysis", "charts"}:
        return import_module(f"kis_nb.{name}")
    if name not in _HOME:
        raise AttributeError(f"module 'kis_nb' has no attribute {name!r}")
    # Kept, so that the next use costs a dict look-up.
    value = globals()[name] = getattr(import_module(f"kis_nb.{_HOME[name]}"), name)
    return value


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
