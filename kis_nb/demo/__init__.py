"""The embedded broker: KIS's own protocol over loopback HTTP, on invented accounts.

Stands beside kis_nb's two wings: only the client, the command line and tests know it, and it knows
`kis_nb._schema` and the standard library alone. A client written from the API document cannot tell
it from the real gateway, and no figure of it is anybody's money.
"""

from kis_nb.demo.book import Book, Portfolio
from kis_nb.demo.faults import NETWORK, WIRE, Fault
from kis_nb.demo.gateway import Broker, Call

__all__ = ["NETWORK", "WIRE", "Book", "Broker", "Call", "Fault", "Portfolio"]
