"""What was paid for is kept, and fills a deleted warehouse again; poison rows are parted, never repaired."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime

import dlt
import duckdb
import pytest

from sources.archive import Archive, ArchiveRow
from sources.intake import RAW_COLUMNS, screen
from sources.load import load, raw_hints

NOW = datetime(2026, 1, 5, tzinfo=UTC)


def rows(*pairs):
    return [ArchiveRow(row_id, stamp, {"id": row_id, "v": stamp}, 1.0, NOW) for row_id, stamp in pairs]


def test_the_newest_stamp_of_an_id_wins_and_credits_add_up(tmp_path):
    archive = Archive(tmp_path)

    archive.append("apollo", "contact", rows(("a", "1"), ("b", "1")))
    archive.append("apollo", "contact", rows(("a", "2")))

    assert archive.stamps("apollo", "contact") == {"a": "2", "b": "1"}
    assert archive.credits("apollo") == 3.0


def test_appending_nothing_writes_nothing(tmp_path):
    archive = Archive(tmp_path)

    assert archive.append("apollo", "contact", []) == 0
    assert list(tmp_path.iterdir()) == []


def test_a_half_written_file_is_not_part_of_the_archive(tmp_path):
    archive = Archive(tmp_path)
    archive.append("apollo", "contact", rows(("a", "1")))
    (tmp_path / "apollo" / "contact" / "0000000002.tmp").write_bytes(b"PAR1 torn")

    assert archive.stamps("apollo", "contact") == {"a": "1"}


@dlt.source
def archived(archive):
    @dlt.resource(name="contact", **raw_hints(RAW_COLUMNS))
    def contact():
        state = dlt.current.resource_state()
        for seq, table in archive.batches("apollo", "contact", state.get("seq", 0)):
            yield table
            state["seq"] = seq

    return contact


def loaded(path):
    with duckdb.connect(str(path), read_only=True) as connection:
        return dict(connection.execute("select id, stamp from raw_apollo.contact").fetchall())


def test_a_deleted_warehouse_is_filled_again_from_the_archive(tmp_path):
    archive = Archive(tmp_path / "archive")
    warehouse = tmp_path / "warehouse.duckdb"
    archive.append("apollo", "contact", rows(("a", "1"), ("b", "1")))
    archive.append("apollo", "contact", rows(("a", "2")))

    load(archived(archive), name="apollo", warehouse=warehouse, state=tmp_path / "dlt")
    first = loaded(warehouse)
    warehouse.unlink()
    load(archived(archive), name="apollo", warehouse=warehouse, state=tmp_path / "dlt")

    assert first == loaded(warehouse) == {"a": "2", "b": "1"}


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ("text", ""),
        ({"name": "no id"}, "id"),
        ({"id": "  "}, "id"),
        ({"id": True}, "id"),
        ({"id": "a" * 201}, "id"),
        ({"id": "a", "x": "nul\x00"}, "x"),
        ({"id": "a", "x": {"y": "\ud800"}}, "x.y"),
        ({"id": "a", "x": [float("nan")]}, "x[]"),
        ({"id": "a", "x": "m" * 200_001}, "x"),
    ],
)
def test_a_poison_row_is_named_and_its_neighbours_go_on(row, field):
    good, poison = screen([{"id": "ok"}, row, {"id": 7}], entity="contact", id_of=lambda item: item.get("id"))

    assert [row_id for row_id, _ in good] == ["ok", "7"]
    assert [item.field for item in poison] == [field]
    assert all(item.reason and item.remedy for item in poison)


def test_a_row_nested_too_deep_is_poison_and_costs_no_stack():
    deep = {"id": "a"}
    inner = deep
    for _ in range(5_000):
        inner["x"] = {}
        inner = inner["x"]

    _, poison = screen([deep["x"] | {"id": "a"}], entity="contact", id_of=lambda item: item.get("id"))

    assert poison[0].reason == "nested deeper than 20"


def everything(path):
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.execute("select id, stamp, content_hash from raw_apollo.contact order by all").fetchall()


LOSSES = ("local state lost", "local state older than the data", "data older than the state")


@pytest.mark.parametrize("loss", LOSSES)
def test_f24_whatever_of_state_and_data_is_lost_or_old_nothing_is_there_twice(tmp_path, loss):
    """F24: dlt's folder is wiped or rolled back, or the warehouse is put back; the next load makes it whole, once."""
    archive, warehouse, state = Archive(tmp_path / "archive"), tmp_path / "warehouse.duckdb", tmp_path / "dlt"
    kept = tmp_path / "kept"
    archive.append("apollo", "contact", rows(("a", "1"), ("b", "1")))
    load(archived(archive), name="apollo", warehouse=warehouse, state=state)
    kept.mkdir()
    shutil.copyfile(warehouse, kept / "warehouse.duckdb")
    shutil.copytree(state, kept / "dlt")
    archive.append("apollo", "contact", rows(("a", "2"), ("c", "1")))
    load(archived(archive), name="apollo", warehouse=warehouse, state=state)
    whole = everything(warehouse)

    if loss == "data older than the state":
        shutil.copyfile(kept / "warehouse.duckdb", warehouse)
    else:
        shutil.rmtree(state)
    if loss == "local state older than the data":
        shutil.copytree(kept / "dlt", state)
    load(archived(archive), name="apollo", warehouse=warehouse, state=state)
    archive.append("apollo", "contact", rows(("b", "2")))
    load(archived(archive), name="apollo", warehouse=warehouse, state=state)

    assert [row[:2] for row in whole] == [("a", "2"), ("b", "1"), ("c", "1")]
    assert [row[:2] for row in everything(warehouse)] == [("a", "2"), ("b", "2"), ("c", "1")]
