"""How bytes arrive from KIS: settings, secrets, HTTP, access tokens, rate limit, calls and paging.

What the bytes mean is not known here. May import `kis_nb._schema`, `kis_nb._account`,
`kis_nb._codes` and `kis_nb._errors`.
"""
