"""Downloads: every vendor's own headings get in, a wrong file is one clear line, and nothing is guessed."""

from __future__ import annotations

import csv
import io
import json
import os
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sources.clock import VirtualClock
from sources.exports import exports, row_id_of
from sources.exports.headings import APOLLO, UPLEAD, VENDORS, ZOOMINFO
from sources.exports.reading import FileRefused, read_export
from sources.intake import Meter
from sources.load import load

APOLLO_ROW = {
    "First Name": "Orla",
    "Last Name": "Kennedy",
    "Title": "IT Manager",
    "Company": "Brackwell Ltd",
    "Email": "orla.kennedy@brackwell.co.uk",
    "Email Status": "Verified",
    "Work Direct Phone": "'+44 20 7946 0011",
    "Person Linkedin Url": "http://www.linkedin.com/in/orla-kennedy",
    "Website": "http://www.brackwell.co.uk",
    "Apollo Contact Id": "65f0a1b2c3d4e5f600012345",
}
ZOOMINFO_ROW = {
    "ZoomInfo Contact ID": "-1234567890",
    "Last Name": "Kennedy",
    "First Name": "Orla",
    "Job Title": "IT Manager",
    "Direct Phone Number": "(020) 7946-0011",
    "Email Address": "orla.kennedy@brackwell.co.uk",
    "Mobile phone": "",
    "Company Name": "Brackwell Ltd",
    "ZoomInfo Company ID": "345678901",
    "Website": "www.brackwell.co.uk",
}
UPLEAD_ROW = {
    "First Name": "Orla",
    "Last Name": "Kennedy",
    "Title": "IT Manager",
    "Email": "orla.kennedy@brackwell.co.uk",
    "Email Status": "valid",
    "Company": "Brackwell Ltd",
    "Domain": "brackwell.co.uk",
}
ROWS = {"apollo": APOLLO_ROW, "zoominfo": ZOOMINFO_ROW, "uplead": UPLEAD_ROW}


def text_of(*rows: dict[str, str], delimiter: str = ",", headings: list[str] | None = None) -> str:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, delimiter=delimiter)
    writer.writerow(headings or list(rows[0]))
    writer.writerows([row.get(name, "") for name in rows[0]] for row in rows)
    return buffer.getvalue()


class Desk:
    """A folder of downloads and a warehouse."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "exports"
        self.warehouse = folder / "warehouse.duckdb"
        self._state = folder / "dlt"

    def drop(self, name: str, content: str | bytes, *, day: int = 1) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
        moment = datetime(2026, 1, day, tzinfo=UTC).timestamp()
        os.utime(path, (moment, moment))
        return path

    def run(self) -> Meter:
        meter = Meter("exports")
        load(exports(self.root, meter, VirtualClock()), name="exports", warehouse=self.warehouse, state=self._state)
        return meter

    def contacts(self) -> dict[str, dict]:
        return {row_id: json.loads(payload) for row_id, payload in self.query("select id, payload from contact")}

    def query(self, sql: str) -> list[tuple]:
        with duckdb.connect(str(self.warehouse), read_only=True) as connection:
            return connection.execute(f"use raw_exports; {sql}").fetchall()


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path)


def test_each_vendors_file_gets_in_under_its_own_headings(desk):
    for vendor, row in ROWS.items():
        desk.drop(f"{vendor}/people.csv", text_of(row))

    meter = desk.run()

    digest = row_id_of(UPLEAD_ROW, UPLEAD)
    filled = {name: value for name, value in ZOOMINFO_ROW.items() if value}
    assert desk.contacts() == {
        "apollo:65f0a1b2c3d4e5f600012345": {**APOLLO_ROW, "vendor": "apollo", "file": "people.csv"},
        "zoominfo:-1234567890": {**filled, "vendor": "zoominfo", "file": "people.csv"},
        digest: {**UPLEAD_ROW, "vendor": "uplead", "file": "people.csv"},
    }
    assert (meter.fetched["contact"], meter.problems, meter.credits) == (3, [], 0.0)


def test_an_unchanged_folder_loads_nothing_and_a_deleted_warehouse_loads_it_all_again(desk):
    desk.drop("apollo/a.csv", text_of(APOLLO_ROW))
    first = desk.run()
    before = desk.query("select * exclude (_dlt_load_id, _dlt_id) from contact")

    second = desk.run()
    desk.warehouse.unlink()
    third = desk.run()

    assert [meter.fetched["contact"] for meter in (first, second, third)] == [1, 0, 1]
    assert desk.query("select * exclude (_dlt_load_id, _dlt_id) from contact") == before


def test_the_newest_file_has_the_last_word_in_whatever_order_they_come(desk):
    desk.drop("apollo/z.csv", text_of(APOLLO_ROW | {"Title": "CIO"}), day=9)
    desk.run()
    desk.drop("apollo/a.csv", text_of(APOLLO_ROW | {"Title": "Clerk"}), day=2)
    desk.run()

    (row,) = desk.contacts().values()
    assert row["Title"] == "CIO"


def test_a_removed_file_takes_nobody_away(desk):
    path = desk.drop("apollo/a.csv", text_of(APOLLO_ROW))
    desk.drop("uplead/b.csv", text_of(UPLEAD_ROW))
    desk.run()

    path.unlink()
    desk.run()

    assert len(desk.contacts()) == 2


@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "byte order mark"])
@pytest.mark.parametrize("line_end", ["\r\n", "\n"])
def test_what_spreadsheets_do_to_a_file_changes_nothing(tmp_path, vendor, delimiter, mark, line_end):
    row = ROWS[vendor] | {"First Name": 'Ørla, "the" fixer;', "Last Name": "Ken\nnedy"}
    path = tmp_path / "people.CSV"
    path.write_bytes(mark + text_of(row, delimiter=delimiter).replace("\r\n", line_end).encode())

    (line,) = read_export(path, VENDORS[vendor])

    assert line.cells == {name: value for name, value in row.items() if value}
    assert line.broken == ""


def test_headings_of_other_case_or_an_older_spelling_are_known(tmp_path):
    old = {"Company": "Company Name", "Email": "EMAIL ", "Apollo Contact Id": "apollo contact ID"}
    path = tmp_path / "a.csv"
    path.write_text(text_of(APOLLO_ROW, headings=[old.get(name, name) for name in APOLLO_ROW]))

    (line,) = read_export(path, APOLLO)

    assert line.cells == APOLLO_ROW


def test_an_alias_stands_back_where_the_column_has_its_own_name():
    assert UPLEAD.spellings(["Website", "Domain", "Phone", "Direct Phone", "Shoe size", ""]) == [
        "Website",
        "Domain",
        "Phone Number",
        "Direct Phone",
        "Shoe size",
        "column 6",
    ]


WRONG_FILES = {
    "a column missing": (
        text_of({name: value for name, value in APOLLO_ROW.items() if name != "Last Name"}),
        "exports/apollo/wrong.csv: column 'Last Name' is missing. Download it again from apollo with that column, with "
        "the headings as they are. The other files are loaded.",
    ),
    "another vendor's": (
        text_of(ZOOMINFO_ROW),
        "exports/apollo/wrong.csv: column 'ZoomInfo Contact ID' is zoominfo's. Move the file to exports/zoominfo/. The "
        "other files are loaded.",
    ),
    "a column twice": (
        text_of(APOLLO_ROW, headings=["Email" if name == "Title" else name for name in APOLLO_ROW]),
        "exports/apollo/wrong.csv: column 'Email' is there twice. Remove one of the two. The other files are loaded.",
    ),
    "empty": (
        "",
        "exports/apollo/wrong.csv: has no headings. Download the file again, with its first line. The other files are "
        "loaded.",
    ),
    "not UTF-8": (
        text_of(APOLLO_ROW | {"First Name": "Ørla"}).encode("latin-1"),
        "exports/apollo/wrong.csv: line 2 is not UTF-8. Save it as CSV UTF-8. The other files are loaded.",
    ),
    "a quote never closed": (
        text_of(APOLLO_ROW) + '"Orla,Kennedy',
        "exports/apollo/wrong.csv: line 3: unexpected end of data. Download the file again; if a spreadsheet saved it, "
        "save it as CSV UTF-8. The other files are loaded.",
    ),
}


def test_each_wrong_file_is_one_clear_line_and_the_others_are_loaded(desk):
    names = [f"{number}.csv" for number in range(len(WRONG_FILES))]
    for name, (content, _) in zip(names, WRONG_FILES.values(), strict=True):
        desk.drop(f"apollo/{name}", content)
    desk.drop("apollo/right.csv", text_of(APOLLO_ROW))

    meter = desk.run()

    assert meter.problems == [
        line.replace("wrong.csv", name) for name, (_, line) in zip(names, WRONG_FILES.values(), strict=True)
    ]
    assert len(desk.contacts()) == 1
    assert desk.query("select id, entity from quarantine order by id") == [
        (f"file:apollo/{name}", "file") for name in names
    ]


def test_a_wrong_file_is_named_by_every_run_until_it_is_mended(desk):
    desk.drop("apollo/wrong.csv", "")
    desk.drop("zoominfo/list.xlsx", b"PK")
    desk.drop("loose.csv", text_of(APOLLO_ROW))

    first, second = desk.run(), desk.run()
    desk.drop("apollo/wrong.csv", text_of(APOLLO_ROW), day=2)
    third = desk.run()

    assert first.problems == second.problems
    assert [problem.split(":")[0] for problem in first.problems] == [
        "exports/apollo/wrong.csv",
        "exports/zoominfo/list.xlsx",
        "exports/loose.csv",
    ]
    assert len(third.problems) == 2
    assert len(desk.contacts()) == 1


def test_a_bad_row_is_set_aside_with_its_line_and_the_rest_of_the_file_is_loaded(desk):
    bare = dict.fromkeys(APOLLO_ROW, "") | {"First Name": "Orla"}
    torn = (
        text_of(APOLLO_ROW, bare, APOLLO_ROW | {"Title": "Head of\x00IT", "Apollo Contact Id": "2"}) + "Kennedy,IT\r\n"
    )
    desk.drop("apollo/a.csv", torn)

    meter = desk.run()

    found = desk.query("select id, reason from quarantine order by id")
    assert found == [
        ("contact:apollo/a.csv:3", "neither Apollo Contact Id, e-mail, LinkedIn address nor name with company"),
        ("contact:apollo/a.csv:5", "2 cells under 10 headings"),
        ("contact:apollo:2", "holds a NUL character"),
    ]
    assert (meter.quarantined, meter.problems, len(desk.contacts())) == (3, [], 1)


def test_no_folder_at_all_is_an_empty_one(desk):
    meter = desk.run()

    assert (meter.problems, desk.contacts()) == ([], {})


def test_a_row_without_id_is_named_by_its_strongest_evidence():
    """The same person in tomorrow's download must be the same row, whatever else changed."""
    person = dict(UPLEAD_ROW)
    promoted = person | {"Title": "CIO", "Email": "Orla.Kennedy@Brackwell.co.uk "}
    without_email = {name: value for name, value in person.items() if name != "Email"}

    ids = [row_id_of(row, UPLEAD) for row in (person, promoted, without_email, {"First Name": "Orla"})]

    assert ids[0] == ids[1] != ids[2] is not None
    assert ids[3] is None
    assert row_id_of(person, APOLLO) != ids[0]


@given(st.binary(max_size=400))
def test_no_file_whatever_breaks_the_reader(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("any") / "a.csv"
    path.write_bytes(content)

    with pytest.raises(FileRefused):
        list(read_export(path, ZOOMINFO))


cell = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00\r"), max_size=30)


@given(st.lists(st.lists(cell, min_size=7, max_size=7), max_size=5))
def test_every_cell_comes_back_as_it_was_written(tmp_path_factory, table):
    rows = [dict(zip(UPLEAD_ROW, cells, strict=True)) for cells in table]
    path = tmp_path_factory.mktemp("any") / "a.csv"
    path.write_bytes(text_of(dict(zip(UPLEAD_ROW, UPLEAD_ROW, strict=True)), *rows).encode())

    _, *lines = read_export(path, UPLEAD)

    filled = [{name: value for name, value in row.items() if value.strip()} for row in rows]
    assert [line.cells for line in lines] == [row for row in filled if row]
