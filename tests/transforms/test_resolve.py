"""`resolve FILE`: one answer per row in the order of the file, or one clear line."""

from __future__ import annotations

import csv
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from sources.world.world import World
from transforms.resolve import InputError, resolve_file

PEOPLE = [
    {"record_id": "z9", "first_name": "Ann", "last_name": "Okafor", "email": "ann.okafor@acme.com", "city": "Leeds"},
    {"record_id": "a1", "first_name": "Ben", "last_name": "Turner", "email": "ben@turner.co.uk", "city": "York"},
    {"record_id": "m5", "first_name": "Anne", "last_name": "Okafor", "email": "ann.okafor@acme.com", "city": "Leeds"},
]


def _write(path: Path, rows: list[dict[str, str]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(rows[0]) if rows else ["record_id", "first_name"])
        writer.writeheader()
        writer.writerows(rows)
    return path


def _read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root: Path = tmp_path_factory.mktemp("world")
    World.generate(300, 11).write_raw(root)
    return root


def test_one_row_per_input_row_in_input_order(tmp_path: Path) -> None:
    out = tmp_path / "out.csv"

    figures = resolve_file(_write(tmp_path / "in.csv", PEOPLE), "contact", out, pairs=tmp_path / "pairs.csv")

    rows = _read(out)
    assert [row["record_id"] for row in rows] == ["z9", "a1", "m5"]
    assert list(rows[0]) == ["record_id", "cluster_id", "golden_id"]
    assert all(row["golden_id"].startswith("con_") and len(row["golden_id"]) == 24 for row in rows)
    assert list(figures) == [
        "records",
        "clusters",
        "pairs",
        "candidates",
        "threshold",
        "model",
        "estimated",
        "seconds",
        "cpu_seconds",
        "peak_mb",
    ]
    assert [(row["record_id_l"], row["record_id_r"]) for row in _read(tmp_path / "pairs.csv")] == [("m5", "z9")]


@pytest.mark.parametrize("entity", ["contact", "organisation"])
@pytest.mark.parametrize("count", [0, 1, 7])
def test_empty_and_tiny_files_are_no_special_case(tmp_path: Path, entity: str, count: int) -> None:
    rows = [{"record_id": str(index), "country": ""} for index in range(count)]
    source = _write(tmp_path / "in.csv", rows or [])
    if not rows:
        source.write_text("record_id,country\n", "utf-8")

    figures = resolve_file(source, entity, tmp_path / "out.parquet")

    assert (figures["records"], figures["clusters"]) == (count, count)
    assert pq.read_table(tmp_path / "out.parquet").num_rows == count


def test_with_state_ids_persist_and_the_answer_stays(tmp_path: Path, world: Path) -> None:
    source, state = world / "contact.parquet", tmp_path / "state"
    resolve_file(source, "contact", tmp_path / "one.csv", state=state)
    table = pq.read_table(source)
    pq.write_table(table.slice(0, table.num_rows - 40), tmp_path / "fewer.parquet")

    resolve_file(tmp_path / "fewer.parquet", "contact", tmp_path / "two.csv", state=state)
    resolve_file(source, "contact", tmp_path / "three.csv", state=state)

    one, three = _read(tmp_path / "one.csv"), _read(tmp_path / "three.csv")
    assert [row["golden_id"] for row in one] == [row["golden_id"] for row in three]


def test_the_worlds_people_are_found(tmp_path: Path, world: Path) -> None:
    """A floor far under what is measured in the benchmarks: this guards against a broken step, not against a worse one."""
    resolve_file(world / "contact.parquet", "contact", tmp_path / "out.csv")

    truth = {row["record_key"]: row["entity_id"] for row in pq.read_table(world / "truth.parquet").to_pylist()}
    clusters: dict[str, list[str]] = {}
    for row in _read(tmp_path / "out.csv"):
        clusters.setdefault(row["cluster_id"], []).append(str(truth[row["record_id"]]))
    joined = [(one, two) for group in clusters.values() for at, one in enumerate(group) for two in group[at + 1 :]]
    sizes: dict[str, int] = {}
    for group in clusters.values():
        for person in group:
            sizes[person] = sizes.get(person, 0) + 1
    right = sum(one == two for one, two in joined)
    assert right / len(joined) > 0.95
    assert right / sum(size * (size - 1) // 2 for size in sizes.values()) > 0.85


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("record_id,first_name\n1,a\n1,b\n", "more than once"),
        ("record_id,first_name\n1,a\n,b\n", "row 2"),
        ("name,first_name\n1,a\n", "record_id is missing"),
        ("record_id,first_name,first_name\n1,a,b\n", "first_name is there more than once"),
        ("record_id,shoe_size,colour\n1,44,red\n", "none of its columns"),
        ("record_id,first_name\n1,a,b,c\n", "cannot be read"),
        ("", "cannot be read"),
    ],
)
def test_a_wrong_file_is_one_clear_line(tmp_path: Path, text: str, message: str) -> None:
    source = tmp_path / "in.csv"
    source.write_text(text, "utf-8")

    with pytest.raises(InputError, match=message) as caught:
        resolve_file(source, "contact", tmp_path / "out.csv")

    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out.csv").exists()


def test_wrong_paths_and_kinds_are_named(tmp_path: Path) -> None:
    source = _write(tmp_path / "in.csv", PEOPLE)

    with pytest.raises(InputError, match="no such file"):
        resolve_file(tmp_path / "none.csv", "contact", tmp_path / "out.csv")
    with pytest.raises(InputError, match="unknown kind of file"):
        resolve_file(source.rename(tmp_path / "in.xlsx"), "contact", tmp_path / "out.csv")
    with pytest.raises(InputError, match="unknown kind of output"):
        resolve_file(tmp_path / "in.xlsx", "contact", tmp_path / "out.txt")
    with pytest.raises(InputError, match="folder does not exist"):
        resolve_file(tmp_path / "in.xlsx", "contact", tmp_path / "no" / "out.csv")


def test_unknown_columns_are_a_warning(tmp_path: Path) -> None:
    said: list[str] = []
    rows = [{**row, "shoe_size": "44"} for row in PEOPLE]

    resolve_file(_write(tmp_path / "in.csv", rows), "contact", tmp_path / "out.csv", warn=said.append)

    assert said == ["in.csv: ignored unknown column shoe_size."]
