"""Why a position cannot be priced, or how it was priced in place of the model."""

from __future__ import annotations

from kis_nb._choices import Lang

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
_KOREAN = {
    NO_PRICE: "가격 없음",
    UNKNOWN_PRODUCT: "종목 불명",
    UNKNOWN_SIDE: "매매 불명",
    EXPIRED: "만기 지남",
    NO_FORWARD: "선도가격 없음",
    ABOVE_BOUND: "이론 상한 초과",
    NOT_SOLVED: "변동성 산출 불가",
    BELOW_INTRINSIC: "내재가치 미만",
    NO_TIME_VALUE: "시간가치 없음",
}
NOTES = tuple(_KOREAN)


def note_label(note: str, lang: Lang) -> str:
    """A note in a language; the column ``note`` has it in English."""
    return _KOREAN.get(note, note) if lang == "ko" else note
