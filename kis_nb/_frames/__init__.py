"""What the bytes mean: page JSON to checked columns, balances, products, sums that must add up.

Here a figure of a reply becomes Decimal. May import `kis_nb._wire.page_json` (of `kis_nb._wire`
nothing else), `kis_nb._schema`, `kis_nb._account`, `kis_nb._choices`, `kis_nb._codes`,
`kis_nb._errors` and `kis_nb._seoul`.
"""
