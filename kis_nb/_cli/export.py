"""A balance in another format: a table for the terminal, CSV, JSON, Parquet or Excel; and how the
file is written.
"""

from __future__ import annotations

import errno
import io
import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias, TypeVar

from kis_nb._choices import Lang
from kis_nb._cli import arguments
from kis_nb._files import write_whole
from kis_nb._frames.columns import DROP_ORDER, chosen, column_label, relabel
from kis_nb._frames.prices import OF_PRICE, unpriced
from kis_nb._frames.text import exact, status_line
from kis_nb._schema.night_balance import SUMMARY

if TYPE_CHECKING:
    import polars as pl

    from kis_nb._frames.balance import Balance

Format: TypeAlias = Literal["table", "csv", "json", "parquet", "xlsx"]
Form = TypeVar("Form", bound=str)
FORMATS: tuple[Format, ...] = ("table", "csv", "json", "parquet", "xlsx")
# The format by a file name's ending, in small letters.
ENDINGS: dict[str, Format] = {
    ".csv": "csv",
    ".json": "json",
    ".parquet": "parquet",
    ".xlsx": "xlsx",
    ".txt": "table",
}
# Not for a terminal.
BINARY: tuple[Format, ...] = ("parquet", "xlsx")
BLOCKS = ("positions", "summary")

# The terminal's columns.
_SHOWN = chosen("lqd_psbl_qty")


def export(
    balance: Balance,
    form: Format,
    *,
    blocks: Sequence[str] = (),
    lang: Lang = "en",
    width: int | None = None,
) -> bytes:
    """Write a balance in a format, with every digit and a masked account.

    Args:
        balance: what to write.
        form: "table" for people; "csv", "parquet" and "xlsx" hold one block, "json" both in one
            object with numbers of the wire's decimals as strings.
        blocks: "positions", "summary" or both; when left out, both for "table" and "json",
            positions for the others.
        lang: labels of the table and the workbook; the other formats keep the wire names.
        width: columns of the terminal; None is no limit.

    Returns:
        The content of the file.
    """
    if form == "table":
        return table(balance, blocks or BLOCKS, lang, width).encode()
    if form == "json":
        return _json(balance, blocks or BLOCKS).encode()
    frame = getattr(balance, blocks[0] if blocks else "positions")
    if form == "csv":
        return str(frame.write_csv()).encode()
    if form == "xlsx":
        from kis_nb._frames.workbook import workbook

        sheet = blocks[0] if blocks else "positions"
        return workbook(relabel(frame, lang), sheet=sheet, about=[status_line(balance, lang)])
    buffer = io.BytesIO()
    frame.write_parquet(
        buffer, metadata={f"kis_nb.{k}": str(v) for k, v in _about(balance).items()}
    )
    return buffer.getvalue()


def chosen_format(
    given: Form | None, output: Path | None, endings: Mapping[str, Form]
) -> Form | Literal["table"]:
    """The format that the name or the ending of the file asks for; a table without either.

    Args:
        given: of ``--format``.
        output: the file of ``--output``.
        endings: the format by a file name's ending, in small letters.

    Raises:
        UsageProblem: the ending names another format, or none and nothing else does.
    """
    if output is None:
        return given or "table"
    named = endings.get(output.suffix.lower())
    if named is None and given is None:
        raise arguments.UsageProblem(
            f"--output names no format: end FILE with {', '.join(endings)}, or add --format"
        )
    if named is not None and given is not None and named != given:
        raise arguments.UsageProblem(
            f"--format {given} and a FILE that ends with {output.suffix.lower()} contradict each "
            "other: leave out --format, or change the ending"
        )
    return given or named or "table"


def _about(balance: Balance) -> dict[str, str | int | bool]:
    return {
        "account": balance.account.masked,
        "mgna_dvsn": balance.mgna_dvsn.value,
        "excc_stat_cd": balance.excc_stat_cd.value,
        "as_of": balance.as_of.isoformat(),
        "pages": balance.pages,
        "demo": balance.demo,
    }


def _json(balance: Balance, blocks: Sequence[str]) -> str:
    content: dict[str, object] = dict(_about(balance))
    if "positions" in blocks:
        content["positions"] = balance.positions.to_dicts()
    if "summary" in blocks:
        content["summary"] = balance.summary.row(0, named=True)
    # A JSON number is a float to most readers, so a Decimal goes out as text.
    return json.dumps(content, ensure_ascii=False, indent=1, default=_text) + "\n"


def _text(value: object) -> str:
    if isinstance(value, Decimal):
        return f"{value:f}"
    raise TypeError(f"no JSON for {type(value).__name__}")


def table(balance: Balance, blocks: Sequence[str], lang: Lang, width: int | None) -> str:
    """The head line, and the blocks below it, readable in a terminal."""
    parts = [status_line(balance, lang)]
    if "positions" in blocks:
        shown = [name for name in _SHOWN if name in balance.positions.columns]
        left_out: list[str] = []
        positions, note = _priced(balance.positions, lang)
        drawn = _draw(positions.select(shown), lang)
        for name in DROP_ORDER:
            if width is None or _columns(drawn) <= width:
                break
            shown.remove(name)
            left_out.append(name)
            drawn = _draw(positions.select(shown), lang)
        parts.append(drawn)
        parts += note
        if left_out:
            parts.append(f"left out for this width: {', '.join(left_out)}")
    if "summary" in blocks:
        parts.append(_draw(_listed(balance, lang), lang))
    return "\n".join(parts) + "\n"


def _priced(positions: pl.DataFrame, lang: Lang) -> tuple[pl.DataFrame, list[str]]:
    """The positions with nothing where KIS sends 0 for want of a price, and a line that says so."""
    import polars as pl

    no_price = unpriced()
    count = positions.filter(no_price).height
    if not count:
        return positions, []
    blank = (pl.when(~no_price).then(name).alias(name) for name in OF_PRICE)
    note = (
        f"가격 없음(null): {count:,}종목. 평가손익 합계에 들어 있지 않습니다"
        if lang == "ko"
        else f"no price yet (null): {count:,}, not in the totals of value and unrealized P&L"
    )
    return positions.with_columns(blank), [note]


def _listed(balance: Balance, lang: Lang) -> pl.DataFrame:
    """The summary turned upright: a row for each figure, the digits as text."""
    import polars as pl  # a command without a pull must not wait for it

    row = balance.summary.row(0, named=True)
    digits = [value if isinstance(value, str) else exact(value) for value in row.values()]
    widest = max(map(len, digits), default=0)
    units = {field.name: field.unit for field in SUMMARY.fields}
    names = [column_label(name, lang) if name in units else "" for name in row]
    return pl.DataFrame(
        {
            "output2": list(row),
            "이름" if lang == "ko" else "Name": names,
            # Text is set flush left and a column has one alignment: the blanks line the digits up.
            "금액" if lang == "ko" else "Amount": [text.rjust(widest) for text in digits],
            "단위" if lang == "ko" else "Unit": [units.get(n, "") for n in row],
        }
    )


def _draw(frame: pl.DataFrame, lang: Lang) -> str:
    """Polars' own table: it knows how wide Hangul is and prints every digit of a Decimal."""
    import polars as pl

    named = frame.with_columns(_level(frame[name]) for name in frame.columns)
    named = relabel(named, lang)
    with pl.Config(
        tbl_rows=-1,
        tbl_cols=-1,
        tbl_width_chars=10_000,
        fmt_str_lengths=200,
        thousands_separator=",",
        tbl_cell_numeric_alignment="RIGHT",
        tbl_hide_column_data_types=True,
        tbl_hide_dataframe_shape=True,
        tbl_formatting="UTF8_FULL_CONDENSED",
    ):
        return str(named)


def _level(column: pl.Series) -> pl.Series:
    """A column of prices with only as many decimals as its longest needs, two at least."""
    import polars as pl

    if not isinstance(column.dtype, pl.Decimal) or column.dtype.scale <= 2:
        return column
    exponents = (value.normalize().as_tuple().exponent for value in column.drop_nulls())
    needed = max((-e for e in exponents if isinstance(e, int)), default=2)
    return column.cast(pl.Decimal(column.dtype.precision, max(needed, 2)))


def _columns(drawn: str) -> int:
    """How wide a drawn table is: its upper edge holds narrow characters only."""
    return len(drawn.partition("\n")[0])


def check_target(path: Path, *, overwrite: bool) -> None:
    """Refuse a file that `save` could not write, before a pull, which takes a while.

    Raises:
        FileExistsError: the file exists and `overwrite` is not set.
        FileNotFoundError: its folder does not exist.
    """
    if not overwrite and path.exists():
        raise FileExistsError(errno.EEXIST, "is there already", str(path))
    if not path.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, "its folder does not exist", str(path))


def save(path: Path, content: bytes, *, overwrite: bool = False) -> None:
    """Write a file whole or not at all, readable by its owner only.

    Raises:
        FileExistsError: the file exists and `overwrite` is not set.
        OSError: it cannot be written.
    """
    check_target(path, overwrite=overwrite)
    if path.exists() and not path.is_file():  # a rename would do away with a device or a pipe
        raise OSError(errno.EINVAL, "is no plain file", str(path))
    try:
        write_whole(path, content)
    except OSError as error:  # of the temporary file beside it
        raise OSError(error.errno, error.strerror, str(path)) from None
