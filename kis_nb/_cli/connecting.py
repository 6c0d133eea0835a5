"""The client of a command."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from kis_nb._errors import ConfigError

if TYPE_CHECKING:
    from kis_nb._client import Client


def connected(command: str, *, demo: bool) -> AbstractContextManager[Client]:
    """Connect for a command.

    Args:
        command: its words after ``kis-nb``, for the message.
        demo: whether ``--demo`` was given; without it ``KIS_NB_DEMO`` decides.

    Raises:
        ConfigError: a setting is missing or does not fit. Without any key the message is about
            this command, and shorter than that of `kis_nb.connect`.
    """
    from kis_nb._connect import connect  # loads polars and requests
    from kis_nb._wire.sources import NO_KEY

    try:
        return connect(demo=True) if demo else connect()
    except ConfigError as error:
        if not str(error).startswith(NO_KEY):
            raise
    raise ConfigError(
        f"{NO_KEY}: set KIS_APP_KEY, KIS_APP_SECRET and KIS_ACCOUNTS, or write them to "
        "~/KIS/config/kis_devlp.yaml (kis-nb check goes through it); without a key try "
        f"kis-nb {command} --demo"
    )
