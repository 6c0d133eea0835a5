"""What the bytes mean: page JSON to checked columns, balances, products, sums that must add up.

The only place where text becomes Decimal. May import `kis_nb._wire` (JSON and secrets, never HTTP),
`kis_nb._schema`, `kis_nb._account`, `kis_nb._codes` and `kis_nb._errors`.
"""
