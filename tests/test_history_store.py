"""The history: what is kept, under which names, and that every engine reads the same."""

from __future__ import annotations

import errno
import json
import logging
import os
import stat
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

import kis_nb
from kis_nb import HistoryError
from kis_nb._account import Account
from kis_nb._codes import Basis, Margin
from kis_nb._frames.balance import Balance
from kis_nb._frames.calendar import last_settlement_day, trading_date
from kis_nb._history import compaction, local_files
from kis_nb._seoul import KST
from tests.factories import book, decoded, make_balance, position

NUMBER = "80012345-03"
DAY = "2026-11-23"
KEYS = ["date", "account", "account_label", "as_of", "mgna_dvsn", "excc_stat_cd", "source"]
EXCHANGES = Path(__file__).parent / "exchanges"


@pytest.fixture(autouse=True)
def key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A key of this test alone."""
    path = tmp_path / "key" / "history.key"
    monkeypatch.setenv("KIS_NB_HISTORY_KEY", str(path))
    return path


@pytest.fixture
def history(tmp_path: Path) -> kis_nb.History:
    return kis_nb.history(tmp_path / "kept")


@pytest.fixture
def root(history: kis_nb.History, tmp_path: Path) -> Path:
    del history
    return tmp_path / "kept"


def later(balance: Balance, **more: int) -> Balance:
    return replace(balance, as_of=balance.as_of + timedelta(**more))


def series(count: int, rows: int = 3, **more: Any) -> list[Balance]:
    """One balance a minute."""
    balance = make_balance(book(rows), **more)
    return [later(balance, minutes=number) for number in range(count)]


def files(root: Path) -> list[Path]:
    return sorted(path for path in root.glob("*/date=*/*"))


def read(history: kis_nb.History, engine: Any = None) -> tuple[pl.DataFrame, pl.DataFrame]:
    """All positions and summaries in one order."""
    return (
        _frame(history.positions(engine)).sort("snapshot", "row"),
        _frame(history.summary(engine)).sort("snapshot"),
    )


def _frame(rows: Any) -> pl.DataFrame:
    if isinstance(rows, pl.LazyFrame):
        return rows.collect()
    frame = rows.pl() if hasattr(rows, "pl") else pl.DataFrame(pl.from_arrow(rows.toArrow()))
    assert isinstance(frame, pl.DataFrame)
    return frame.with_columns(pl.col("as_of").dt.convert_time_zone("UTC"))


# --- rows ---


def test_a_snapshot_is_one_file_in_each_folder(history: kis_nb.History, root: Path) -> None:
    """The same balance again is no second one; nothing hidden is left."""
    balances = series(3)
    assert history.append(balances) == 3
    assert history.append(balances[0]) == 0
    assert kis_nb.history(root).append(balances) == 0
    assert [len(history.files("positions")), len(history.files("summary"))] == [3, 3]
    assert len(files(root)) == 6
    names = {path.name for path in files(root)}
    assert len(names) == 3
    assert all(name.startswith(history.account_id(NUMBER) + "_01-1_20261122T14") for name in names)


def test_another_view_or_moment_or_content_is_another_snapshot(history: kis_nb.History) -> None:
    """Also at the same moment, as after a clock that was set back."""
    balance = make_balance(book(3))
    others = [
        make_balance(book(3), mgna_dvsn="02"),
        make_balance(book(3), excc_stat_cd="2"),
        make_balance(book(4)),
        make_balance(book(3), fee=1),
        later(balance, microseconds=-1),
    ]
    assert history.append([balance, *others, balance]) == 6
    assert read(history)[1].height == 6


def test_rows_keep_every_digit(history: kis_nb.History) -> None:
    """Each field has the balance's value, in 38 digits; the keys are in front."""
    balance = make_balance(book(20), prsm_dpast_amt=9_999_999_999_999_999_999)
    history.append(balance)
    positions, summary = read(history)
    assert positions.columns[:7] == summary.columns[:7] == KEYS
    for sent, kept in ((balance.positions, positions), (balance.summary, summary)):
        for name in sent.columns:
            assert kept[name].to_list() == sent[name].cast(kept[name].dtype).to_list()
    decimals = [d for d in (*positions.dtypes, *summary.dtypes) if isinstance(d, pl.Decimal)]
    assert {dtype.precision for dtype in decimals} == {38}
    row = summary.row(0, named=True)
    assert row["date"] == date(2026, 11, 23)
    assert row["as_of"] == balance.as_of
    assert row["account_label"] == "800*****-03"
    assert row["settled_on"] == date(2026, 11, 20)
    assert (row["source"], row["demo"], row["positions"]) == ("snapshot", False, 20)
    assert positions["row"].to_list() == list(range(20))


VALUES = [
    # A position, the basis, then quantity, contract_value, open_value, open_cost.
    (position(side="long", qty=3), "1", 3, "76862500", 230587500, 231825000),
    (position(side="short", qty=3), "1", -3, "76862500", -230587500, -231825000),
    (position(side="short", qty=3, pchs_amt=Decimal(7)), "2", -3, "76862500", -230587500, -7),
    (position(side="flat", qty=0), "1", 0, "76862500", 0, 0),
    (position(side=None, qty=3), "1", None, "76862500", None, None),
    # Without a price a future counts at its settlement, an option at nothing.
    (
        position(side="short", qty=2, idx_clpr=None, evlu_amt=Decimal(0)),
        *("1", -2, "77275000", -154550000, -154550000),
    ),
    (
        position(
            "B01612570", "C 202612 570.0", "long", 2, "1", "1.5", idx_clpr=None, evlu_amt=None
        ),
        *("1", 2, "0", 0, 750000),
    ),
    # Half a won goes to the even one.
    (
        position(side="long", qty=1, ccld_avg_unpr1=Decimal("300.00000200")),
        *("1", 1, "76862500", 76862500, 75000000),
    ),
    (
        position(side="long", qty=1, ccld_avg_unpr1=Decimal("300.00000600")),
        *("1", 1, "76862500", 76862500, 75000002),
    ),
]


@pytest.mark.parametrize(("row", "basis", "quantity", "each", "value", "cost"), VALUES)
def test_values_are_signed(
    row: dict[str, Any],
    basis: str,
    quantity: int | None,
    each: str,
    value: int | None,
    cost: int | None,
    history: kis_nb.History,
) -> None:
    """Quantity, value of a contract, market value and cost at the fills, to the won."""
    history.append(make_balance([row], excc_stat_cd=basis))
    kept = read(history)[0].row(0, named=True)
    assert kept["quantity"] == quantity
    assert kept["contract_value"] == Decimal(each)
    assert (kept["open_value"], kept["open_cost"]) == (value, cost)


def test_equity_and_margins_by_view(history: kis_nb.History) -> None:
    """The sent equity or the estimate, without the foreign deposit, whose fraction is cut; the
    margin of the view that was asked for.
    """
    history.append(
        [
            make_balance(mgna_tota=7, prsm_dpast_amt=100, frcr_dncl_amt=Decimal("10.99")),
            make_balance(mgna_dvsn="02", mgna_tota=5, prsm_dpast_amt=None, prsm_dpast=50),
            make_balance(excc_stat_cd="2", mmga_tot_amt=4, prsm_dpast_amt=None, prsm_dpast=50),
        ]
    )
    rows = history.summary().sort("mgna_dvsn", "excc_stat_cd").collect()
    found = rows.select(
        "krw_equity", "foreign_deposit", "equity_source", "initial_margin", "maintenance_margin"
    ).rows()
    assert found == [
        (90, 10, "sent", 7, None),
        (None, 0, None, 0, 4),
        (50, 0, "estimate", None, 5),
    ]


def test_the_published_answer_is_kept(history: kis_nb.History) -> None:
    """An answer that our broker did not make: KIS's own example of a short code."""
    body = json.dumps(json.loads((EXCHANGES / "balance-ok.json").read_text("utf-8"))["body"])
    account = Account.parse(NUMBER)
    decoder = decoded([body.encode()], account=account)
    balance = Balance.from_decoder(
        decoder,
        account=account,
        mgna_dvsn=Margin.INITIAL,
        excc_stat_cd=Basis.SETTLEMENT,
        as_of=datetime(2022, 11, 14, 23, tzinfo=KST).timestamp(),
    )
    assert history.append(balance) == 1
    positions, summary = read(history)
    row = positions.row(0, named=True)
    assert (row["shtn_pdno"], row["quantity"], row["open_value"]) == ("101S12", 3, 230587500)
    assert row["open_cost"] == 240375000
    assert row["date"] == date(2022, 11, 15)
    assert row["cano"] == "800*****"
    assert summary["krw_equity"].to_list() == [10085327360 - 1237500]


# --- reading ---


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_three_engines_read_the_same(history: kis_nb.History, spark: Any) -> None:
    """Old files, files with fields that came later, a merged day, and an empty history: the same
    columns, types and values.
    """
    engines = {"DuckDB": duckdb.connect(), "Spark": spark}
    for state in ("empty", "files", "merged and more"):
        if state == "files":
            history.append([*series(3), *series(2, account="80099999-03", mgna_dvsn="02")])
            history.append(with_unknown(later(make_balance(book(2)), days=3)))
        if state == "merged and more":
            assert history.compact(DAY) == 5
            history.append(later(make_balance(book(4), account="80099999-03"), seconds=1))
        expected = read(history)
        for name, engine in engines.items():
            for ours, theirs in zip(expected, read(history, engine), strict=True):
                assert theirs.schema == ours.schema, (name, state)
                assert theirs.equals(ours), (name, state)
        bounds = {"account": "80099999-03", "start": DAY, "end": DAY}
        expected = _frame(history.positions(**bounds)).sort("snapshot", "row"), expected[1]
        for engine in engines.values():
            rows = _frame(history.positions(engine, **bounds)).sort("snapshot", "row")
            assert rows.equals(expected[0])


def with_unknown(balance: Balance, **fields: str) -> Balance:
    """A balance with fields that the document does not know."""
    more = fields or {"NEW_field": "x", "cblc_amt": "5", "date": "today", "new_FIELD": "y"}
    texts = [pl.lit(value).alias(name) for name, value in more.items()]
    return replace(
        balance,
        positions=balance.positions.with_columns(texts),
        summary=balance.summary.with_columns(texts),
    )


def test_unknown_fields_become_columns(history: kis_nb.History) -> None:
    """As text, at the right, null in files without; none takes the name of another column, in
    capitals or not. A history that is opened later knows them too.
    """
    history.append(series(2))
    before = history.positions().collect_schema().names()
    history.append(with_unknown(make_balance(book(2), fee=3)))
    rows = read(history)[0]
    for one in (history, kis_nb.history(Path(repr(history)[9:-1]))):
        rows, summary = read(one)
        assert rows.columns == [
            *before,
            *("new_field", "wire_cblc_amt", "wire_date", "wire_new_field"),
        ]
        assert rows["new_field"].to_list().count("x") == 2
        assert rows["new_field"].null_count() == 6
        # No summary has a column of that name.
        assert summary["cblc_amt"].to_list().count("5") == 1
    history.compact(DAY)
    assert read(history)[0].equals(rows)


def test_partitions_and_files_are_left_out_before_the_engine(
    history: kis_nb.History, root: Path
) -> None:
    """By day and by account: their files may even be damaged. A moment bounds rows as well."""
    first, second = make_balance(), make_balance(account="80099999-03")
    history.append([later(first, days=n) for n in (0, 1, 8)] + [later(second, days=1)])
    assert sorted(path.parent.name for path in files(root / "..")) == []
    for path in root.glob("summary/date=2026-12-01/*"):
        path.write_bytes(b"PAR1" + b"\0" * 20 + b"\1\0\0\0PAR1")
    rows = history.summary(end="2026-11-30", account=NUMBER).collect()
    assert rows["date"].to_list() == [date(2026, 11, 23), date(2026, 11, 24)]
    found = history.summary(start=date(2026, 11, 24), end="2026-11-24").collect()
    assert found["account"].n_unique() == 2
    moment = later(first, days=1).as_of
    assert history.summary(start=moment, end=moment).collect().height == 2
    assert (
        history.summary(start=moment + timedelta(seconds=1), end="2026-11-25").collect().is_empty()
    )
    with pytest.raises(ValueError, match="time zone"):
        history.summary(start=datetime(2026, 11, 23))  # noqa: DTZ001
    with pytest.raises(HistoryError, match="not by int"):
        history.summary(3)


def test_as_of_gives_each_accounts_last_snapshot(history: kis_nb.History) -> None:
    """At or before the moment, over days; with a position of each row of it."""
    first = make_balance(book(3))
    second = make_balance(book(2), account="80099999-03")
    history.append([first, later(first, minutes=5), later(first, days=2), later(second, days=-4)])
    found = history.as_of(first.as_of + timedelta(minutes=6))
    assert found.summary["as_of"].to_list() in (
        [later(first, minutes=5).as_of, later(second, days=-4).as_of],
        [later(second, days=-4).as_of, later(first, minutes=5).as_of],
    )
    assert found.positions.height == 5
    alone = history.as_of(first.as_of, NUMBER)
    assert alone.positions["row"].to_list() == [0, 1, 2]
    before = history.as_of(first.as_of - timedelta(days=9))
    assert (before.positions.height, before.summary.height) == (0, 0)
    assert before.summary.columns == found.summary.columns


def test_an_empty_history_makes_nothing(history: kis_nb.History, root: Path) -> None:
    """Reading one that is not there gives empty frames, and no folder."""
    assert read(history)[0].is_empty()
    assert history.files("summary") == []
    assert history.compact() == 0
    assert not root.exists()
    with pytest.raises(ValueError, match="folder"):
        history.files("other")  # type: ignore[arg-type]


# --- accounts ---


def test_accounts_are_pseudonyms_of_the_users_key(history: kis_nb.History, key: Path) -> None:
    """The same by number, `Account`, label and pseudonym; another key gives another. Neither number
    nor key is in a repr.
    """
    history.append([make_balance(), make_balance(account="80099999-03")])
    name = history.account_id(NUMBER)
    assert {name} == {
        history.account_id(one) for one in (Account.parse(NUMBER), "8001234503", name)
    }
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert len(name) == 16
    for text in (
        repr(history),
        repr(vars(history)),
        repr(history._pseudonyms),
        *history.files("summary"),
    ):
        assert "80012345" not in text
        assert key.read_text("utf-8") not in text
    with pytest.raises(HistoryError, match="2 accounts"):
        history.account_id("800*****-03")
    with pytest.raises(HistoryError, match="no accounts") as caught:
        history.account_id("80012345-0399")
    assert "80012345" not in str(caught.value)


def test_a_label_that_one_account_has_will_do(history: kis_nb.History) -> None:
    """As the column account_label has it."""
    history.append([make_balance(), make_balance(account="81199999-03")])
    assert history.account_id("800*****-03") == history.account_id(NUMBER)
    assert history.summary(account="811*****-03").collect().height == 1


def test_one_key_is_made_however_many_ask(tmp_path: Path) -> None:
    """Processes that start at once agree on one."""
    with ThreadPoolExecutor(8) as pool:
        opened = [kis_nb.history(tmp_path / "kept") for _ in range(16)]
        assert len(set(pool.map(lambda one: one.account_id(NUMBER), opened))) == 1
    assert [path.name for path in (tmp_path / "key").iterdir()] == ["history.key"]


def test_plain_numbers_on_request(tmp_path: Path, key: Path) -> None:
    """No key is made then, and a history stays what it was made as."""
    plain = kis_nb.history(tmp_path / "plain", accounts="number")
    plain.append(make_balance())
    assert plain.summary(account="800*****-03").collect()["account"].to_list() == [NUMBER]
    assert not key.exists()
    with pytest.raises(HistoryError, match='accounts="number"'):
        kis_nb.history(tmp_path / "plain").append(make_balance())
    with pytest.raises(ValueError, match="accounts"):
        kis_nb.history(tmp_path, accounts="name")  # type: ignore[arg-type]


def test_a_key_that_is_none_or_another_is_refused(history: kis_nb.History, key: Path) -> None:
    """Else one account would have two names."""
    history.append(make_balance())
    key.write_text("0" * 64)
    with pytest.raises(HistoryError, match="another key"):
        kis_nb.history(Path(repr(history)[9:-1])).append(make_balance(fee=1))
    key.write_text("no key")
    with pytest.raises(HistoryError, match="no key of 64"):
        kis_nb.history(Path(repr(history)[9:-1])).append(make_balance(fee=1))
    key.unlink()
    key.mkdir()
    with pytest.raises(HistoryError, match="KIS_NB_HISTORY_KEY"):
        kis_nb.history(Path(repr(history)[9:-1])).append(make_balance(fee=1))


def test_invented_and_real_accounts_do_not_mix(history: kis_nb.History, root: Path) -> None:
    """The first append decides which a history keeps."""
    history.append(make_balance(demo=True))
    with pytest.raises(HistoryError, match="another folder for real ones"):
        kis_nb.history(root).append(make_balance())
    assert read(history)[1]["demo"].to_list() == [True]


# --- writing ---


def test_many_threads_write_a_snapshot_once(root: Path) -> None:
    """Of those that append the same balance at once, one is told that it was new."""
    balances = series(6)
    with ThreadPoolExecutor(8) as pool:
        counts = list(pool.map(lambda _: kis_nb.history(root).append(balances), range(8)))
    assert sum(counts) == 6
    assert read(kis_nb.history(root))[1].height == 6


def test_positions_without_a_summary_do_not_count(history: kis_nb.History, root: Path) -> None:
    """A writer that was killed between the two names: the same balance again completes it."""
    balances = series(2)
    history.append(balances)
    lost = history.files("summary")[0]
    Path(lost).unlink()
    assert [frame.height for frame in read(history)] == [3, 1]
    assert history.append(balances) == 1
    assert [frame.height for frame in read(history)] == [6, 2]
    Path(lost).unlink()
    history.compact(DAY)
    assert [frame.height for frame in read(history)] == [3, 1]
    plain = pl.scan_parquet(root / "positions/**/*.parquet").collect()
    assert plain.height == 3
    assert history.append(balances) == 1


def test_a_full_disk_loses_nothing(
    history: kis_nb.History, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error says why; what was kept stays, nothing half is left, and later it goes on."""
    history.append(series(2))
    with monkeypatch.context() as patch:

        def full(_: int) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        patch.setattr(os, "fsync", full)
        with pytest.raises(HistoryError, match="No space left"):
            history.append(make_balance(fee=2))
        with pytest.raises(HistoryError, match="No space left"):
            history.compact(DAY)
    assert len(files(root)) == 4
    assert not list((root / ".compact").iterdir())
    assert history.append(make_balance(fee=2)) == 1
    assert history.compact(DAY) == 3


def test_a_folder_without_rights_or_no_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Errors of the package, which name the history."""
    (tmp_path / "file").write_text("")
    with pytest.raises(HistoryError, match=r"file: (Not a directory|File exists)"):
        kis_nb.history(tmp_path / "file").append(make_balance())
    with pytest.raises(HistoryError, match="Not a directory"):
        kis_nb.history(tmp_path / "file").summary()

    def refused(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(Path, "mkdir", refused)
    key = tmp_path / "key"
    os.mkdir(key)  # noqa: PTH102  # Path's is refused
    with pytest.raises(HistoryError, match="Permission denied"):
        kis_nb.history(tmp_path / "other").append(make_balance())


def test_a_later_version_is_not_read(history: kis_nb.History, root: Path) -> None:
    """Nor is a history whose description is damaged."""
    history.append(make_balance())
    about = root / "_kis_nb_history.json"
    about.write_text(about.read_text("utf-8").replace('"version": 1', '"version": 2'))
    later_one = kis_nb.history(root)
    with pytest.raises(HistoryError, match="version 2"):
        later_one.summary()
    with pytest.raises(HistoryError, match="version 2"):
        later_one.append(make_balance(fee=1))
    with pytest.raises(HistoryError, match="version 2"):
        later_one.compact()
    about.write_text("{")
    with pytest.raises(HistoryError, match="damaged"):
        kis_nb.history(root).positions()


def test_foreign_and_damaged_files_are_named_once(
    history: kis_nb.History, root: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """They are left out of what is read and merged, and stay where they are."""
    history.append(series(4))
    day = root / "summary" / f"date={DAY}"
    (day / "mine.parquet").write_bytes(b"PAR1")
    (day / "notes.txt").write_text("mine")
    (root / "summary" / "date=never").mkdir()
    damaged = sorted(day.glob("*_01-1_*"))[:2]
    damaged[0].write_bytes(damaged[0].read_bytes()[:-30])
    damaged[1].write_bytes(b"")
    with caplog.at_level(logging.WARNING, "kis_nb"):
        for _ in range(3):
            assert history.summary().collect().height == 2
        assert history.compact(DAY) == 2
        assert history.summary().collect().height == 2
    assert len(caplog.messages) == 4
    assert sum("is damaged" in line for line in caplog.messages) == 2
    assert len(list(day.iterdir())) == 6


def test_a_file_that_cannot_be_merged_is_named(history: kis_nb.History, root: Path) -> None:
    """A file whose damage shows on reading alone stops the compaction; all files stay."""
    history.append(series(3))
    day = root / "positions" / f"date={DAY}"
    one = min(day.iterdir())
    content = bytearray(one.read_bytes())
    content[40:-400] = bytes(len(content) - 440)
    one.write_bytes(content)
    before = files(root)
    with pytest.raises(HistoryError, match="was not compacted"):
        history.compact(DAY)
    assert files(root) == before


# --- compaction ---


@pytest.mark.parametrize("exchanges", [True, False])
def test_a_merged_day_has_the_same_rows(
    exchanges: bool,  # noqa: FBT001
    history: kis_nb.History,
    root: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In one file of each folder, sorted; several times, with new files in between; where the
    disk cannot exchange folders too.
    """
    if not exchanges:
        monkeypatch.setattr(compaction, "exchange", lambda *_: False)
    balances = [*series(5), *series(4, account="80099999-03"), make_balance([])]
    history.append(balances)
    before = read(history)
    assert history.compact(DAY) == 10
    assert [one.equals(two) for one, two in zip(read(history), before, strict=True)] == [True, True]
    assert [len(history.files("positions")), len(history.files("summary"))] == [1, 1]
    assert history.append(balances) == kis_nb.history(root).append(balances) == 0
    assert history.compact(DAY) == 0
    rows = pl.read_parquet(history.files("positions")[0], hive_partitioning=False)
    assert rows.equals(rows.sort("account", "as_of", "snapshot", "row"))
    assert history.append(later(make_balance(book(2)), hours=1)) == 1
    assert history.compact(date(2026, 11, 23)) == 1
    assert history.append(balances) == 0
    assert [len(list(path.iterdir())) for path in root.glob("*/date=*")] == [2, 2]
    assert [frame.height for frame in read(history)] == [29, 11]
    plain = pl.scan_parquet(root / "positions/**/*.parquet").collect()
    assert plain.height == 29


def test_a_compaction_meets_new_files(
    history: kis_nb.History, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was appended meanwhile stays as it is; hidden files of killed writers go."""
    history.append(series(3))
    merge = compaction.Compaction._merge
    more = iter([make_balance(fee=n) for n in (1, 2)])

    def slow(*arguments: Any) -> Any:
        result = merge(*arguments)
        assert kis_nb.history(root).append(next(more)) == 1
        return result

    (root / "summary" / f"date={DAY}" / ".0123.new").write_bytes(b"half")
    monkeypatch.setattr(compaction.Compaction, "_merge", slow)
    assert history.compact(DAY) in (3, 4)
    assert read(history)[1].height == 5
    assert not list(root.glob("*/date=*/.*"))


def test_a_listing_that_was_made_before_the_exchange_counts_right(
    history: kis_nb.History, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Names that were listed before a day was replaced, and the list of merged files that was read
    after it, give every row once.
    """
    history.append(series(4))
    names = local_files.LocalFiles.names
    done: list[str] = []

    def early(self: local_files.LocalFiles, *parts: str) -> list[str]:
        found = names(self, *parts)
        if parts[0] == "summary" and len(parts) == 2 and not done:
            done.append("")
            history.compact(DAY)
        return found

    monkeypatch.setattr(local_files.LocalFiles, "names", early)
    assert history.summary().collect().height == 4
    done.clear()
    history.append(make_balance(fee=9))
    assert history.positions().collect().height == 13
    assert done


def test_a_merged_day_has_few_accounts_a_file(history: kis_nb.History) -> None:
    """Each account's rows are in one file, whose name says so: the others are not opened."""
    balance = make_balance(book(600))
    numbers = [f"8{number:07}-03" for number in range(20)]
    history.append(replace(balance, account=Account.parse(number)) for number in numbers)
    before = read(history)
    history.compact(DAY)
    assert [len(history.files("positions")), len(history.files("summary"))] == [2, 1]
    assert read(history)[0].equals(before[0])
    for path in history.files("positions"):
        names = pl.read_parquet(path)["account"]
        others = {history.account_id(number) for number in numbers} - set(names)
        hidden = Path(path).rename(Path(path).with_suffix(".away"))
        kept = kis_nb.history(Path(repr(history)[9:-1]))
        assert all(kept.positions(account=one).collect().height == 600 for one in others)
        hidden.rename(path)


@pytest.mark.parametrize("engine", [None, "DuckDB"])
def test_files_that_disappear_are_listed_again(
    engine: str | None, history: kis_nb.History, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A day that was merged after its files were listed: read again, or an error of the package
    when it never ends.
    """
    history.append(series(3))
    listed = kis_nb.history(root)
    counted = listed._listing.counted
    stale = [str(root / "summary" / f"date={DAY}" / "gone.parquet")]
    answers: list[Any] = [stale, stale]
    monkeypatch.setattr(
        type(listed._listing),
        "counted",
        lambda self, *words: answers.pop() if answers else counted.__func__(self, *words),  # type: ignore[attr-defined]
    )
    if engine is None:
        assert listed.as_of(series(3)[2].as_of).summary.height == 1
        answers += [stale] * 9
        with pytest.raises(HistoryError, match="disappear"):
            listed.as_of(series(3)[2].as_of)
    else:
        assert _frame(listed.summary(duckdb.connect())).height == 3
        answers += [stale] * 9
        with pytest.raises(HistoryError, match="disappear"):
            listed.summary(duckdb.connect())


def test_what_merged_files_hold_is_not_read_for_a_question(
    history: kis_nb.History, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A day of twenty accounts has a list of a megabyte: only the names of its files are read."""
    history.append(series(4))
    history.compact(DAY)
    expected = read(history)
    with monkeypatch.context() as patched:
        patched.setattr(
            local_files.LocalFiles, "merged", lambda *_: pytest.fail("the whole list was read")
        )
        found = read(history)
    assert [one.equals(two) for one, two in zip(found, expected, strict=True)] == [True, True]
    place = root / "summary" / f"date={DAY}" / local_files.LIST
    content = json.loads(place.read_text())
    place.write_text(json.dumps({"members": content["members"], "files": content["files"]}))
    assert read(history)[1].equals(expected[1])


def test_merged_files_without_their_list_are_named(
    history: kis_nb.History, root: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A copy of the Parquet files alone does not pass for an empty day."""
    history.append(series(2))
    history.compact(DAY)
    (root / "summary" / f"date={DAY}" / local_files.LIST).unlink()
    assert history.files("summary") == history.files("summary") == []
    assert caplog.text.count("no list of its merged files") == 1


def test_damage_in_the_middle_is_named_once_and_left_out(
    history: kis_nb.History, caplog: pytest.LogCaptureFixture
) -> None:
    """It shows only when the rows are read; what the package itself collects goes on without."""
    balances = series(3)
    history.append(balances)
    path = Path(history.files("summary")[1])
    content = path.read_bytes()
    path.write_bytes(content[:60] + bytes(200) + content[260:])
    last = history.as_of(balances[2].as_of)
    assert last.summary["as_of"].to_list() == [balances[2].as_of]
    assert history.account_id("800*****-03") == history.account_id(NUMBER)
    assert history.summary().collect().height == 2
    assert caplog.text.count("is damaged") == 1
    assert path.name in caplog.text
    assert history.compact(DAY) == 2
    assert path.exists()


def test_one_damaged_day_keeps_no_other_from_being_merged(
    history: kis_nb.History, root: Path
) -> None:
    """The error comes once the others are merged."""
    balance = make_balance(book(1))
    history.append([balance, later(balance, days=1)])
    path = Path(history.files("summary")[0])
    content = path.read_bytes()
    path.write_bytes(content[:60] + bytes(200) + content[260:])
    with pytest.raises(HistoryError, match="was not compacted"):
        history.compact()
    assert len(list((root / "summary").glob("date=*/merged_*.parquet"))) == 1


@pytest.mark.parametrize("folder", ["account=mine", "date=2020-01-01", "a=b/c d/[x]*{y}%20"])
def test_a_folder_that_looks_like_a_partition(tmp_path: Path, folder: str, spark: Any) -> None:
    """Its name is no column, on any engine."""
    history = kis_nb.history(tmp_path / folder / "kept")
    history.append(series(2))
    expected = read(history)
    assert expected[1]["date"].to_list() == [date(2026, 11, 23)] * 2
    assert expected[1]["account"].to_list() == [history.account_id(NUMBER)] * 2
    for engine in (duckdb.connect(), spark):
        found = read(history, engine)
        assert [one.equals(two) for one, two in zip(found, expected, strict=True)] == [True, True]


def test_compact_leaves_the_present_day(history: kis_nb.History) -> None:
    """Without a date every day before today's trading day is merged."""
    now = datetime.now(KST)
    balance = make_balance()
    history.append([replace(balance, as_of=now), *series(2)])
    assert history.compact() == 2
    assert len(history.files("summary")) == 2


def test_what_was_replaced_is_deleted_later(
    history: kis_nb.History, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who listed the old folder may still open its files for a while."""
    history.append(series(2))
    history.compact(DAY)
    assert len(list((root / ".compact").iterdir())) == 2
    monkeypatch.setattr(compaction, "_KEPT", -1)
    history.compact(DAY)
    assert not list((root / ".compact").iterdir())


# --- rows made elsewhere ---


def test_rows_of_a_past_day_are_kept(history: kis_nb.History) -> None:
    """A frame with some of the columns; the others are null, and twice is once."""
    moment = datetime(2026, 11, 20, 15, 45, tzinfo=KST).astimezone(UTC)
    keys = {
        "account": history.account_id(NUMBER),
        "account_label": "800*****-03",
        "as_of": moment,
        "source": "settlement",
        "demo": False,
    }
    positions = pl.DataFrame([{**keys, "row": 0, "shtn_pdno": "A01612", "cblc_amt": Decimal(5)}])
    summary = pl.DataFrame([{**keys, "krw_equity": Decimal(7), "new": "text"}])
    assert history.append_rows(positions, summary) == 1
    assert history.append_rows(positions, summary) == 0
    history.append(make_balance())
    rows, sums = read(history)
    assert rows.filter(source="settlement")["cblc_amt"].to_list() == [5]
    found = sums.filter(source="settlement").row(0, named=True)
    assert (found["date"], found["mgna_dvsn"], found["krw_equity"]) == (date(2026, 11, 20), None, 7)
    assert found["new"] == "text"
    assert rows["snapshot"].n_unique() == sums["snapshot"].n_unique() == 2


# --- object stores ---


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """The storage options of an S3 server on loopback with one bucket, ``bucket``."""
    import boto3  # type: ignore[import-untyped]
    from moto.server import ThreadedMotoServer

    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    options = {
        "aws_endpoint_url": f"http://{host}:{port}",
        "aws_access_key_id": "invented",
        "aws_secret_access_key": "invented",
        "aws_region": "us-east-1",
        "aws_allow_http": "true",
    }
    client = boto3.client(
        "s3",
        endpoint_url=options["aws_endpoint_url"],
        aws_access_key_id="invented",
        aws_secret_access_key="invented",
        region_name="us-east-1",
    )
    client.create_bucket(Bucket="bucket")
    client.close()
    yield options
    server.stop()


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_an_object_store_keeps_the_same(bucket: dict[str, str]) -> None:
    """Append, read, merge, append again and merge again; a second writer; the same rows as in a
    folder.
    """
    history = kis_nb.history("s3://bucket/some/prefix", storage_options=bucket)
    assert read(history)[1].is_empty()
    balances = series(6)
    assert history.append(balances) == 6
    other = kis_nb.history("s3://bucket/some/prefix/", storage_options=bucket)
    assert other.append([*balances, with_unknown(make_balance(fee=1))]) == 1
    before = read(other)
    assert [frame.height for frame in before] == [19, 7]
    asked = history.positions()
    assert history.compact(DAY) == 7
    assert [one.equals(two) for one, two in zip(read(other), before, strict=True)] == [True, True]
    with pytest.raises(FileNotFoundError):
        asked.collect()
    assert other.append(balances) == 0
    assert other.append(make_balance(fee=2)) == 1
    assert [history.compact(DAY), other.compact(DAY)] == [1, 0]
    assert len(history.files("summary")) == 1
    assert history.as_of(balances[3].as_of).summary["as_of"].to_list() == [balances[3].as_of]
    assert "invented" not in repr(history)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_an_object_store_forgets_what_a_killed_compaction_wrote(
    bucket: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Merged files that no list has are deleted by the next compaction of the day."""
    history = kis_nb.history("s3://bucket/killed", storage_options=bucket)
    history.append(series(2))
    with monkeypatch.context() as patched:
        patched.setattr(compaction, "list_name", lambda _: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            history.compact(DAY)
    history.append(later(make_balance(book(3)), hours=1))
    assert history.compact(DAY) == 3
    names = history._files.names("summary", f"date={DAY}")
    assert [name for name in names if name.startswith("merged_")] == [
        path.rpartition("/")[2] for path in history.files("summary")
    ]


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_another_engine_says_what_it_needs_for_an_object_store(bucket: dict[str, str]) -> None:
    """DuckDB without its extension; the error names no key."""
    history = kis_nb.history("s3://bucket/engines", storage_options=bucket)
    history.append(make_balance(book(1)))
    engine = duckdb.connect(config={"autoinstall_known_extensions": "false"})
    with pytest.raises(HistoryError, match="DuckDB cannot read s3://bucket/engines") as failed:
        history.summary(engine)
    assert "invented" not in str(failed.value)


def test_a_url_with_a_password_is_refused() -> None:
    """It would be in every repr and error; this one does not have it."""
    with pytest.raises(HistoryError) as failed:
        kis_nb.history("s3://name:hidden@bucket/prefix")
    assert "hidden" not in str(failed.value)


def test_an_object_store_needs_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names it."""
    monkeypatch.setitem(sys.modules, "obstore.store", None)
    with pytest.raises(HistoryError, match=r"kis_nb\[object-store\]"):
        kis_nb.history("s3://bucket/prefix")


# --- days ---


@pytest.mark.parametrize(
    ("moment", "day", "settled"),
    [
        ("2026-11-20T17:59:59", "2026-11-20", "2026-11-20"),
        ("2026-11-20T18:00:00", "2026-11-23", "2026-11-20"),
        ("2026-11-21T05:30:00", "2026-11-23", "2026-11-20"),
        ("2026-11-23T15:44:59", "2026-11-23", "2026-11-20"),
        ("2026-11-23T15:45:00", "2026-11-23", "2026-11-23"),
        ("2026-12-24T18:00:00", "2026-12-28", "2026-12-24"),
        ("2026-12-30T19:00:00", "2027-01-04", "2026-12-30"),
    ],
)
def test_trading_days_of_a_moment(moment: str, day: str, settled: str) -> None:
    """A night belongs to the trading day in which it ends; holidays and weekends are skipped."""
    at = datetime.fromisoformat(moment).replace(tzinfo=KST)
    assert trading_date(at.astimezone(UTC)) == date.fromisoformat(day)
    assert last_settlement_day(at.astimezone(UTC)) == date.fromisoformat(settled)
