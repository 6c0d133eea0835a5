"""Communication with KIS: settings, secrets, HTTP, access tokens, rate limit, calls and paging.

What a reply's rows mean is in `kis_nb._frames`. May import `kis_nb._schema`, `kis_nb._account`,
`kis_nb._errors`, `kis_nb._files` and `kis_nb._seoul`.
"""
