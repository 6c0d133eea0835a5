"""Questions about a history, answered in the engine that holds it.

Each function takes the frames of `kis_nb.History` in Polars, DuckDB or PySpark and returns the same
kind, lazily where the engine is lazy; `collect` runs the query and brings the rows into Polars. The
answers of the three are equal to the last digit::

    history = kis_nb.history("nights")
    kis_nb.analysis.collect(kis_nb.analysis.equity(history.summary()))

    spark = SparkSession.builder.getOrCreate()
    kis_nb.analysis.lowest_room(history.summary(spark)).show()

Amounts are won, Decimal(38,0). Null is unknown, never 0: a sum with an unknown part is null. A
figure of more than 24 digits (a price 14 before the point, a quantity 10) is an error of the engine
when the result is collected; none is cut or rounded silently. Needs neither DuckDB nor PySpark.

May import nothing else of kis_nb than `_seoul`.
"""

from __future__ import annotations

from kis_nb.analysis._attribution import attribution
from kis_nb.analysis._collect import collect
from kis_nb.analysis._equity import equity, lowest_room, margin
from kis_nb.analysis._exposure import exposure
from kis_nb.analysis._flows import returns
from kis_nb.analysis._thin import thin

__all__ = [
    "attribution",
    "collect",
    "equity",
    "exposure",
    "lowest_room",
    "margin",
    "returns",
    "thin",
]
