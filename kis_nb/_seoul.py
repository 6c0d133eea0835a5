"""Seoul's time zone, in which KIS and the exchange state every time."""

from __future__ import annotations

from zoneinfo import ZoneInfo

KST = ZoneInfo("Asia/Seoul")
