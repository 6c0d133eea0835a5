"""The type of what the panels on the page are sent."""

from __future__ import annotations

from typing import Any, TypeAlias

# A JSON object; figures in it are texts with every digit.
Json: TypeAlias = dict[str, Any]
