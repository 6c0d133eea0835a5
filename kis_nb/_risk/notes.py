"""Why a position cannot be priced, or how it was priced in place of the model."""

from __future__ import annotations

from kis_nb._choices import Lang
from kis_nb._frames.estimate_text import WORDS

NO_PRICE = "no price"
UNKNOWN_PRODUCT = "unknown product"
UNKNOWN_SIDE = "side not known"
EXPIRED = "past expiry"
NO_FORWARD = "no forward"
ABOVE_BOUND = "above its upper bound"
NOT_SOLVED = "volatility not found"
BELOW_INTRINSIC = "below intrinsic"
NO_TIME_VALUE = "no time value"

# Positions with these notes are in no total and in no scenario.
LEFT_OUT = frozenset(
    {NO_PRICE, UNKNOWN_PRODUCT, UNKNOWN_SIDE, EXPIRED, NO_FORWARD, ABOVE_BOUND, NOT_SOLVED}
)
NOTES = (
    *(NO_PRICE, UNKNOWN_PRODUCT, UNKNOWN_SIDE, EXPIRED, NO_FORWARD, ABOVE_BOUND, NOT_SOLVED),
    *(BELOW_INTRINSIC, NO_TIME_VALUE),
)


def note_label(note: str, lang: Lang) -> str:
    """A note in a language; the column ``note`` has it in English."""
    return WORDS["note"][note][lang == "en"]
