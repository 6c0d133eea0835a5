"""Whether this computer can draw Korean letters."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from kis_nb._environment import without_credentials

# Fonts that come with systems that do without fontconfig.
_SYSTEM_FONTS = (
    "/System/Library/Fonts/AppleSDGothicNeo.ttc",
    "C:/Windows/Fonts/malgun.ttf",
)


def korean_font() -> bool | None:
    """Whether a font with Hangul is installed; None when that cannot be found out."""
    if any(Path(font).exists() for font in _SYSTEM_FONTS):
        return True
    lister = shutil.which("fc-list")
    if lister is None:
        return False if sys.platform in ("darwin", "win32") else None
    # Without our credentials in the environment: another program has no need of them.
    environment = without_credentials(os.environ)
    try:
        run = subprocess.run(
            [lister, ":lang=ko", "family"],
            env=environment,
            capture_output=True,
            timeout=30,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return bool(run.stdout.strip()) if run.returncode == 0 else None
