"""The products of a balance's positions, with KIS's master files where they are needed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from kis_nb._errors import KisError
from kis_nb._frames.products import Master, Product, read_product

if TYPE_CHECKING:
    import polars as pl


class MasterHandle(Protocol):
    """How a balance gets at KIS's master files; `kis_nb._master_files.MasterFiles` is one."""

    def cached(self) -> Master:
        """The products that are stored on this machine, by short code; makes no network call."""

    def complete(self) -> Master:
        """The same, after a fetch if one is due; a failed fetch is logged, never raised."""

    @property
    def fetch_due(self) -> bool:
        """Whether the stored files are out of date and no fetch has failed lately."""

    def fetch_in_background(self, done: Callable[[KisError | None], None]) -> object:
        """Fetch in a thread; `done` is called there with the error, or with None."""


def products_of(
    positions: pl.DataFrame, master: MasterHandle | None, *, fetch: bool = False
) -> tuple[Product, ...]:
    """What each position is.

    Args:
        positions: of a balance.
        master: KIS's master files, read only when short code and name leave something open; None
            for a balance that no client made.
        fetch: fetch the master files if that is due; a failure is logged. Otherwise only what is
            stored is read.

    Returns:
        A product for each row, in the rows' order.
    """
    # Column by column: `select` takes longer than all the rest of this.
    rows = [*zip(positions["shtn_pdno"], positions["prdt_name"], strict=True)]
    products = tuple(read_product(code, name) for code, name in rows)
    if master is None or all(map(_complete, products)):
        return products
    listed = master.complete() if fetch else master.cached()
    return tuple(
        product if _complete(product) else read_product(code, name, listed)
        for (code, name), product in zip(rows, products, strict=True)
    )


def fetch_missing_products(
    positions: pl.DataFrame, master: MasterHandle | None, done: Callable[[], None]
) -> None:
    """Fetch the master files in a thread, if the positions need them and a fetch is due.

    Args:
        positions: of a balance.
        master: KIS's master files; nothing happens without.
        done: called in that thread once the files are there; not at all when the fetch fails.
    """
    if master is None or all(map(_complete, products_of(positions, master))):
        return
    if master.fetch_due:
        master.fetch_in_background(lambda error: done() if error is None else None)


def _complete(product: Product) -> bool:
    """Whether a master file could add nothing."""
    known = product.kind and product.product and product.term
    return bool(known) and not (product.option and product.strike is None)
