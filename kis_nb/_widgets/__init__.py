"""The widgets that draw on a page: charts and panels, with their JavaScript and CSS.

A widget sends what it shows as custom messages, which no notebook stores. What is shown is worked
out elsewhere: this package may import nothing else of kis_nb.
"""
