"""Environment variables for processes that have no need of credentials."""

from __future__ import annotations

from collections.abc import Mapping


def without_credentials(
    environment: Mapping[str, str], *, keep_own: bool = False
) -> dict[str, str]:
    """The variables whose names do not begin with ``KIS_``, in any case of letters.

    Args:
        environment: such as ``os.environ``.
        keep_own: keep those that begin with ``KIS_NB_``, which are settings and hold no credential.
    """
    return {
        name: value
        for name, value in environment.items()
        if not name.upper().startswith("KIS_") or (keep_own and name.upper().startswith("KIS_NB_"))
    }
