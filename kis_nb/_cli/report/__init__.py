"""``kis-nb report``: runs a notebook with parameters and writes what it shows as one file.

May import what `kis_nb._cli` may. papermill, nbconvert and ipykernel come with the extra
``report`` and are imported where they are used.
"""
