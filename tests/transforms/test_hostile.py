"""Hostile input: a clear result or one clear line, in bounded memory and time.

The large shapes run at a few thousand records; HALOSYNC_HOSTILE=full runs them at their full size, each in a process of
its own so that its peak memory is its own.
"""

from __future__ import annotations

import csv
import json
import os
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest

from tests.transforms.nasty import COUNT, NASTY
from transforms.contracts import ENTITIES
from transforms.resolve import COLUMNS, InputError, resolve_file

IS_FULL = os.environ.get("HALOSYNC_HOSTILE") == "full"
SECONDS_MAX, PEAK_MB_MAX = 600, 3_000
CANDIDATES_EACH_MAX = 40  # half of 64 from each of a few rules that a record shares with strangers
Row = dict[str, str | None]


def _write(rows: list[Row], path: Path) -> Path:
    names = list(dict.fromkeys(name for row in rows for name in row))
    table = pa.table({name: pa.array([row.get(name) for row in rows], pa.string()) for name in names})
    if path.suffix == ".csv":
        pa_csv.write_csv(table, path)
    else:
        pq.write_table(table, path)
    return path


def _clusters(path: Path) -> dict[str, str]:
    rows = pq.read_table(path).to_pylist()
    return {row["record_id"]: row["cluster_id"] for row in rows}


def _sizes(path: Path) -> list[int]:
    return sorted(Counter(_clusters(path).values()).values(), reverse=True)


def test_there_are_five_hundred_of_them() -> None:
    assert len(set(NASTY)) == COUNT == 500


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
@pytest.mark.parametrize("entity", ENTITIES)
def test_nasty_strings_in_every_column_get_a_row_each(tmp_path: Path, entity: str, suffix: str) -> None:
    """Each string in each column, once with all other columns as nasty and once alone; the ids are nasty, too."""
    fields = [name for name in COLUMNS[entity] if name != "record_id"]
    crowded = [{name: NASTY[(row + 17 * column) % COUNT] for column, name in enumerate(fields)} for row in range(COUNT)]
    alone = [{name: text} for name in fields for text in (NASTY if IS_FULL else NASTY[::10])]
    rows: list[Row] = [
        {"record_id": f"{text}#{number}" if number >= COUNT or not text else text, **row}
        for number, (row, text) in enumerate(zip([*crowded, *alone], [*NASTY, *[""] * len(alone)], strict=True))
    ]
    source = _write(rows, tmp_path / f"in{suffix}")

    resolve_file(source, entity, tmp_path / "out.parquet", pairs=tmp_path / "pairs.csv")

    answer = pq.read_table(tmp_path / "out.parquet")
    expected = [row["record_id"] for row in rows]
    assert answer["record_id"].to_pylist() == expected
    assert set(answer["cluster_id"].to_pylist()) <= set(expected)
    assert answer["golden_id"].null_count == 0


@pytest.mark.parametrize("entity", ENTITIES)
def test_a_nasty_value_in_one_column_joins_nobody(tmp_path: Path, entity: str) -> None:
    """A word for nothing, a bare sign or a placeholder said by forty records is no reason to join any two."""
    empty = ["", " ", "-", "null", "NaN", "N/A", "Unknown", "\u200b", "…", "''", "Test", "???"]
    fields = [name for name in COLUMNS[entity] if name not in ("record_id", "source")]
    rows: list[Row] = [
        {"record_id": str(number), **dict.fromkeys(fields, empty[number % len(empty)])} for number in range(480)
    ]

    figures = resolve_file(_write(rows, tmp_path / "in.parquet"), entity, tmp_path / "out.parquet")

    assert figures["clusters"] == 480


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
@pytest.mark.parametrize("entity", ENTITIES)
@pytest.mark.parametrize("shape", ["header only", "one record", "all null", "only record_id"])
def test_files_with_next_to_nothing_in_them(tmp_path: Path, shape: str, entity: str, suffix: str) -> None:
    fields = COLUMNS[entity]
    count = {"header only": 0, "one record": 1, "all null": 50, "only record_id": 50}[shape]
    kept = fields[:1] if shape == "only record_id" else fields
    columns = {name: pa.array([None] * count, pa.string()) for name in kept}
    columns["record_id"] = pa.array([str(number) for number in range(count)], pa.string())
    table = pa.table(columns)
    path = tmp_path / f"in{suffix}"
    (pa_csv.write_csv if suffix == ".csv" else pq.write_table)(table, path)

    figures = resolve_file(path, entity, tmp_path / "out.csv")

    assert (figures["records"], figures["clusters"], figures["pairs"]) == (count, count, 0)
    with (tmp_path / "out.csv").open(newline="", encoding="utf-8") as stream:
        assert [row["golden_id"] != "" for row in csv.DictReader(stream)] == [True] * count


def test_a_parquet_file_of_null_type_columns(tmp_path: Path) -> None:
    """What pandas writes for a column that it never saw a value of."""
    table = pa.table({"record_id": ["1", "2"], "first_name": pa.nulls(2), "email": pa.nulls(2)})
    pq.write_table(table, tmp_path / "in.parquet")

    assert resolve_file(tmp_path / "in.parquet", "contact", tmp_path / "out.csv")["clusters"] == 2


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            b"record_id,first_name\n1,Ann \xed\xa0\x80 Lee\n",
            "cannot be read",
        ),  # a lone surrogate, as some exports have it
        (b"record_id,first_name\n1,Ren\xe9e\n", "cannot be read"),  # Latin-1
        (b"\xff\xfer\x00e\x00c\x00", "cannot be read|record_id is missing"),  # UTF-16
        (b'record_id,first_name\n1,"Ann\n2,Bob\n', "cannot be read"),  # a quote that never ends
        (b"\x00\x00\x00\x00", "cannot be read|record_id is missing"),
    ],
)
def test_bytes_that_are_no_text_are_one_clear_line(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "in.csv").write_bytes(content)

    with pytest.raises(InputError, match=message) as caught:
        resolve_file(tmp_path / "in.csv", "contact", tmp_path / "out.csv")

    assert "\n" not in str(caught.value)


def test_parquet_text_that_is_no_text_is_one_clear_line(tmp_path: Path) -> None:
    """Parquet readers do not check; the engine would fail deep inside."""
    broken = pa.Array.from_buffers(pa.string(), 1, pa.array([b"\xed\xa0\x80"], pa.binary()).buffers())
    pq.write_table(pa.table({"record_id": pa.array(["1"]), "first_name": broken}), tmp_path / "in.parquet")

    with pytest.raises(InputError, match="first_name"):
        resolve_file(tmp_path / "in.parquet", "contact", tmp_path / "out.csv")


def test_a_cell_of_two_megabytes_is_read(tmp_path: Path) -> None:
    rows: list[Row] = [{"record_id": "1", "first_name": "Ann"}, {"record_id": "2", "first_name": "x" * 2_000_000}]

    assert resolve_file(_write(rows, tmp_path / "in.csv"), "contact", tmp_path / "out.csv")["clusters"] == 2


def test_two_records_whose_source_and_id_run_together_are_told_apart_or_refused(tmp_path: Path) -> None:
    """a:b + c and a + b:c are one key."""
    rows: list[Row] = [
        {"record_id": "c", "source": "a:b", "first_name": "Ann"},
        {"record_id": "b:c", "source": "a", "first_name": "Bob"},
    ]

    with pytest.raises(InputError, match="b:c"):
        resolve_file(_write(rows, tmp_path / "in.csv"), "contact", tmp_path / "out.csv")


# The large shapes.


def _names(count: int) -> Iterator[tuple[str, str]]:
    """People as different as people are: some hundred given names, tens of thousands of surnames."""
    dice = random.Random(7)
    syllables = [consonant + vowel for consonant in "bdfghjklmnprstvwz" for vowel in "aeiou"]

    def word(least: int, most: int) -> str:
        return "".join(dice.choice(syllables) for _ in range(dice.randint(least, most))).capitalize()

    given = [word(2, 3) for _ in range(300)]
    for _ in range(count):
        yield dice.choice(given), word(2, 4)


def _people(count: int) -> Iterator[tuple[int, str, str]]:
    """Records of people, every third person told of by both sources: without one true pair there is nothing to learn."""
    people = list(_names(count))
    for number in range(count):
        person = number * 3 // 4
        yield person, *people[person]


def _shared_phone(count: int) -> Iterator[Row]:
    """A call centre: one line, everybody's."""
    for number, (person, first, last) in enumerate(_people(count)):
        yield {
            "source": "ab"[number % 2],
            "first_name": first,
            "last_name": last,
            "phone": "+44 20 7946 0018",
            "email": f"{first}.{last}@firm{person}.com".lower(),
            "city": "Leeds",
        }


def _one_company(count: int) -> Iterator[Row]:
    """Colleagues: one employer, one switchboard, one address."""
    for number, (_, first, last) in enumerate(_people(count)):
        yield {
            "source": "ab"[number % 2],
            "first_name": first,
            "last_name": last,
            "email": f"{first}.{last}@giant.com".lower(),
            "phone": "+44 20 7946 0018",
            "organisation_name": "Giant Ltd",
            "organisation_domain": "giant.com",
            "street": "1 High Street",
            "postcode": "LS1 1AA",
            "city": "Leeds",
        }


def _copies(count: int) -> Iterator[Row]:
    """One person as often as everybody else together: a loader that ran again and again."""
    ann = {"source": "a", "first_name": "Ann", "last_name": "Okafor", "email": "ann.okafor@firm.com", "city": "Leeds"}
    for row in _shared_phone(count // 2):
        yield row
        yield ann


def _shared_line_of_companies(count: int) -> Iterator[Row]:
    """An answering service."""
    for number, (person, first, last) in enumerate(_people(count)):
        yield {
            "source": "ab"[number % 2],
            "name": f"{last} {first}",
            "phone": "+44 20 7946 0018",
            "postcode": f"LS{person}",
        }


def _branches(count: int) -> Iterator[Row]:
    """One name, one site, a shop in every street."""
    for number, (person, first, last) in enumerate(_people(count)):
        address = {"street": f"{person % 97 + 1} {first} Street", "city": last, "postcode": str(10_000 + person)}
        yield {"source": "ab"[number % 2], "name": "Subway", "domain": "subway.com", "country": "US"} | address


def _a_source_each(count: int) -> Iterator[Row]:
    """Somebody took a column of dates for the source."""
    for number, row in enumerate(_shared_phone(count)):
        yield row | {"source": f"2024-{number}"}


def _copies_of_a_company(count: int) -> Iterator[Row]:
    giant = {"source": "a", "name": "Giant Ltd", "domain": "giant.com"}
    for row in _shared_line_of_companies(count // 2):
        yield row
        yield giant


Shape = Callable[[int], Iterator[Row]]
SHAPES: dict[str, tuple[Shape, str, int]] = {
    "one phone": (_shared_phone, "contact", 100_000),
    "one company": (_one_company, "contact", 50_000),
    "copies": (_copies, "contact", 100_000),
    "a source each": (_a_source_each, "contact", 50_000),
    "one line of companies": (_shared_line_of_companies, "organisation", 100_000),
    "branches": (_branches, "organisation", 50_000),
    "copies of a company": (_copies_of_a_company, "organisation", 100_000),
}


def _resolved(shape: str, folder: Path) -> tuple[int, dict[str, object]]:
    make, entity, full = SHAPES[shape]
    count = full if IS_FULL else 3_000
    rows = [{"record_id": str(number), **row} for number, row in enumerate(make(count))]
    source, out = _write(rows, folder / "in.parquet"), folder / "out.parquet"
    if not IS_FULL:
        return count, resolve_file(source, entity, out)
    command = [sys.executable, "-m", "orchestration.cli", "resolve", source, "--entity", entity, "--out", out, "--json"]
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, check=True, timeout=SECONDS_MAX)
    return count, json.loads(done.stdout)


@pytest.mark.timeout(SECONDS_MAX + 60)
@pytest.mark.parametrize("shape", SHAPES)
def test_what_is_shared_by_thousands_costs_in_proportion(shape: str, tmp_path: Path) -> None:
    """No block, component or list may grow with the square of what it holds; and what all share tells nobody apart."""
    count, figures = _resolved(shape, tmp_path)

    print(shape, figures)
    assert int(str(figures["candidates"])) <= CANDIDATES_EACH_MAX * count
    if IS_FULL:
        assert float(str(figures["peak_mb"])) < PEAK_MB_MAX
    sizes = _sizes(tmp_path / "out.parquet")
    if "copies" in shape:
        count //= 2
        assert sizes.pop(0) == count  # all copies, and nobody else
    people = (count - 1) * 3 // 4 + 1
    assert sizes[0] <= 5  # nobody is glued to strangers by what all share
    assert abs(len(sizes) - people) <= people / 100  # namesakes there are
