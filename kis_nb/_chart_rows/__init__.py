"""The rows of every chart: names, exact figures as text, and lengths to draw. Loads no Altair.

A module for each chart has its function ``rows``; the module of the same name in `kis_nb.charts`
has the spec that draws them. The dashboard takes the rows from here and the spec from
`kis_nb._dashboard.chart_specs`, so that it never loads Altair.

May import `kis_nb.analysis`, `_risk`, `_frames`, `_widgets`, `_codes`, `_choices` and `_seoul`.
"""
