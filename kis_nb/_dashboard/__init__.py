"""The dashboard: controls, fetching and its cache, layout, cards, tables, texts, downloads.

May import every package below it: `kis_nb.charts`, `kis_nb._widgets`, `kis_nb._client`,
`kis_nb._frames`, `kis_nb._wire`, `kis_nb._schema` and the modules beside them.
"""
