"""A Spark session in this process's own Java, for the tests."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@contextmanager
def local_spark() -> Iterator[SparkSession]:
    """A session of one core, without a page, on loopback; what it writes is removed at its end."""
    from pyspark.sql import SparkSession

    with tempfile.TemporaryDirectory(prefix="kis_nb-spark-") as place:
        settings = {
            "spark.ui.enabled": "false",
            "spark.driver.host": "127.0.0.1",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.driver.memory": "1g",
            "spark.sql.shuffle.partitions": "1",
            "spark.sql.session.timeZone": "Asia/Seoul",
            "spark.sql.warehouse.dir": place,
            "spark.local.dir": place,
            "spark.log.level": "OFF",
            "spark.ui.showConsoleProgress": "false",
            # Compiling Java for a few rows takes far longer than the rows.
            "spark.sql.codegen.wholeStage": "false",
            "spark.sql.codegen.factoryMode": "NO_CODEGEN",
            "spark.sql.adaptive.enabled": "false",
        }
        builder = SparkSession.builder.master("local[1]").appName("kis_nb")
        for name, value in settings.items():
            builder = builder.config(name, value)
        session = builder.getOrCreate()
        try:
            yield session
        finally:
            session.stop()
