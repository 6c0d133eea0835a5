"""The embedded broker: KIS's own protocol over loopback HTTP, on invented accounts.

For ``connect(demo=True)``, ``kis-nb serve`` and the tests: a client written from KIS's API document
cannot tell it from the live gateway, and no figure of it is anybody's money. May import
`kis_nb._schema` and the standard library, nothing else.

`Broker` takes the calls; `Book` holds the accounts (`Portfolio`), whose figures are integers worked
out from a seed and the time, so that the same moment always gives the same bytes.
"""

from kis_nb.demo.book import Book
from kis_nb.demo.broker import Broker, Call
from kis_nb.demo.portfolio import Portfolio

__all__ = ["Book", "Broker", "Call", "Portfolio"]
