"""The command line ``kis-nb``: commands, arguments, export, notebook templates, JupyterLab launch.

May import every package below it, and `kis_nb.demo` for ``kis-nb serve``.
"""
