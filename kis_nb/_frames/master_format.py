"""The format of KIS's master files: from their bytes to one entry a product.

Source: ``fo_idx_code_mts.mst`` (index futures and options, nine
columns with ``|``) and ``fo_com_code.mst`` (commodity and currency futures, fixed width), both
cp949 and zipped.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation

from kis_nb._frames.product_text import Kind
from kis_nb._frames.products import Listed

INDEX_FILE = "fo_idx_code_mts.mst"
COMMODITY_FILE = "fo_com_code.mst"
FILES = (INDEX_FILE, COMMODITY_FILE)

# The real one is below 1 MB; anything so much larger is a fault or a zip bomb.
_MOST = 16 * 1024 * 1024

_MONTHLY, _MINI, _SMALL = "KOSPI 200", "KOSPI 200 mini", "KOSDAQ 150"
# The file's kind: our kind and product. 7 (volatility) and 9 (sector) are futures on
# their own indices.
_KINDS: dict[str, tuple[Kind, str | None]] = {
    "1": ("future", _MONTHLY),
    "2": ("spread", _MONTHLY),
    "5": ("call", _MONTHLY),
    "6": ("put", _MONTHLY),
    "3": ("future", _SMALL),
    "4": ("spread", _SMALL),
    "J": ("call", _SMALL),
    "K": ("put", _SMALL),
    "7": ("future", None),
    "9": ("future", None),
    "B": ("future", _MINI),
    "C": ("spread", _MINI),
    "D": ("call", _MINI),
    "E": ("put", _MINI),
    "L": ("call", f"{_MONTHLY} weekly Thu"),
    "M": ("put", f"{_MONTHLY} weekly Thu"),
    "N": ("call", f"{_MONTHLY} weekly Mon"),
    "O": ("put", f"{_MONTHLY} weekly Mon"),
    "P": ("call", f"{_SMALL} weekly Thu"),
    "Q": ("put", f"{_SMALL} weekly Thu"),
    "R": ("call", f"{_SMALL} weekly Mon"),
    "S": ("put", f"{_SMALL} weekly Mon"),
}
_UNDERLYINGS = {"KOSPI200": "KOSPI 200", "KSQ150": "KOSDAQ 150"}


def read_zip(name: str, content: bytes) -> dict[str, Listed] | None:
    """The products of a zipped master file, by short code; None when it is damaged or empty.

    Args:
        name: one of `FILES`.
        content: the zip.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive, archive.open(name) as file:
            text = file.read(_MOST + 1)
    except (zipfile.BadZipFile, zlib.error, KeyError, ValueError, EOFError, OSError):
        return None
    except (NotImplementedError, RuntimeError):  # an unknown compression, or encrypted
        return None
    if len(text) > _MOST:
        return None
    lines = _index(text) if name == INDEX_FILE else _commodities(text)
    return {line.shtn_pdno: line for line in lines if line.shtn_pdno} or None


def _index(text: bytes) -> Iterator[Listed]:
    for line in text.decode("cp949", errors="replace").splitlines():
        columns = [column.strip() for column in line.split("|")]
        if len(columns) != 9:
            continue
        kind, product = _KINDS.get(columns[0], (None, None))
        yield Listed(
            shtn_pdno=columns[1],
            pdno=columns[2],
            prdt_name=columns[3],
            kind=kind,
            product=product,
            underlying=_UNDERLYINGS.get(columns[8], columns[8]) or None,
            strike=_strike(columns[5]) if kind in ("call", "put") else None,
        )


def _strike(text: str) -> Decimal | None:
    """A strike like ``01120.00``; None for 0, which stands for no strike, and for other text."""
    try:
        strike = Decimal(text) if text.isascii() and text.replace(".", "").isdigit() else Decimal(0)
    except InvalidOperation:  # two points
        return None
    return strike or None


def _commodities(text: bytes) -> Iterator[Listed]:
    # Cut as bytes: a Korean letter is two of them, and the name is padded with blanks.
    for line in text.splitlines():
        code, standard, name = line[2:11], line[11:23], line[23:55]
        if len(line) < 24:
            continue
        yield Listed(
            shtn_pdno=code.decode("cp949", errors="replace").strip(),
            pdno=standard.decode("cp949", errors="replace").strip(),
            prdt_name=name.decode("cp949", errors="replace").strip(),
        )
