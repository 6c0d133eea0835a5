"""``kis-nb check``: checks the set-up one step at a time.

May import what `kis_nb._cli` may.
"""
