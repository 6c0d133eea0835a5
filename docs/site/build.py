"""Build the site: `python docs/site/build.py [folder]`, by default into build/site.

Needs no network: the templates are executed on the embedded broker. Any warning of Sphinx and any
problem that `check.py` finds makes it fail.
"""

from __future__ import annotations

import logging
import os
import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import check
from sphinx.cmd.build import main as sphinx_build

HERE = Path(__file__).parent
TOP = HERE.parents[1]


def isolate(scratch: Path) -> None:
    """Keep the kernels away from the user's keys, settings and kernels, and on the demo."""
    for name in [name for name in os.environ if name.startswith(("KIS_", "JUPYTER"))]:
        del os.environ[name]
    profile = scratch / "ipython" / "profile_default"
    (profile / "startup").mkdir(parents=True)
    shutil.copy(HERE / "kernel.py", profile / "startup")
    # A kernel on loopback warns that its connection is not encrypted.
    quiet = "get_config().IPKernelApp.log_level = 'ERROR'\n"
    (profile / "ipython_kernel_config.py").write_text(quiet, encoding="utf-8")
    logging.getLogger("traitlets").setLevel(logging.WARNING)
    os.environ |= {
        "IPYTHONDIR": str(scratch / "ipython"),
        "JUPYTER_CONFIG_DIR": str(scratch / "config"),
        "JUPYTER_DATA_DIR": str(scratch / "data"),
        "JUPYTER_PREFER_ENV_PATH": "1",
        "JUPYTER_RUNTIME_DIR": str(scratch / "runtime"),
        "KIS_NB_CACHE_DIR": str(scratch / "cache"),
        "KIS_NB_DEMO": "1",
    }


def build(folder: Path) -> int:
    """Write the site into `folder`, replacing what is there; 0 when all is well."""
    if folder.exists():
        shutil.rmtree(folder)
    with TemporaryDirectory(prefix="kis-site-") as name:
        scratch = Path(name)
        isolate(scratch)
        options = ["-b", "html", "-q", "-W", "--keep-going", "-j", "auto"]
        places = ["-c", HERE.parent, "-d", scratch / "doctrees", TOP, folder]
        failed = sphinx_build([*options, *map(str, places)])
    return failed or check.main([str(folder)])


if __name__ == "__main__":
    sys.exit(build(Path(sys.argv[1] if len(sys.argv) > 1 else TOP / "build" / "site").resolve()))
