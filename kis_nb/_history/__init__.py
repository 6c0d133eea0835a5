"""The history: balances kept as Parquet files that any engine reads.

`kis_nb.history` opens one. Files, names and what a reader may rely on: docs/architecture.md.
"""
