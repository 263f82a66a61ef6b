"""Real files, in each vendor's documented headings and in every format and encoding that people drop (invented people)."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from test_exports import APOLLO_ROW, UPLEAD_ROW, Desk, text_of

from sources.exports import formats
from sources.exports.formats import FileRefused, open_sheet
from sources.exports.headings import VENDORS, heading_key
from sources.exports.reading import read_export

FILES = Path(__file__).parent / "files" / "exports"
SOUND = sorted(path for path in FILES.rglob("*.*") if not path.name.startswith("wrong-"))
WRONG = {
    "apollo/wrong-latin-1.csv": "line 4 is not UTF-8. Save it as CSV UTF-8.",
    "apollo/wrong-no-last-name.csv": "column 'Last Name' is missing. Download it again from apollo with that column, "
    "with the headings as they are.",
    "uplead/wrong-folder.csv": "column 'ZoomInfo Contact ID' is zoominfo's. Move the file to exports/zoominfo/.",
    "zoominfo/wrong-not-a-workbook.xlsx": "is no XLSX workbook. Open it in a spreadsheet and save it as XLSX or CSV "
    "UTF-8.",
    "zoominfo/wrong-open-quote.csv": "line 5: unexpected end of data. Download the file again; if a spreadsheet saved "
    "it, save it as CSV UTF-8.",
}


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path)


def lines(path):
    return [line.cells for line in read_export(path, VENDORS[path.parent.name])]


@pytest.mark.parametrize("path", SOUND, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_file_of_a_vendor_tells_the_same_three_people(path):
    """The same download as CSV, UTF-16, with semicolons, as XLSX, Parquet or JSONL is the same rows."""
    reference = {
        "apollo": FILES / "apollo" / "apollo-contacts-export.csv",
        "zoominfo": FILES / "zoominfo" / "semicolons-with-bom.csv",
        "uplead": FILES / "uplead" / "older-headings.csv",
    }[path.parent.name]

    found = lines(path)

    assert found == lines(reference)
    assert [cells["First Name"] for cells in found] == ["Orla", "Søren", "Máire"]
    assert [cells["Last Name"] for cells in found] == ["Kennedy", "Ångström-Lykke", "O'Sullivan"]


def test_a_quoted_line_end_stays_inside_its_cell():
    assert {cells["Keywords"] for cells in lines(FILES / "apollo" / "apollo-contacts-export.csv")} == {
        'managed services,\ncloud, "zero trust"'
    }


def test_each_wrong_file_is_one_line_with_column_and_remedy_and_the_others_load(desk):
    shutil.copytree(FILES, desk.root)

    meter = desk.run()

    assert sorted(meter.problems) == sorted(
        f"exports/{name}: {told} The other files are loaded." for name, told in WRONG.items()
    )
    quarantined = desk.query("select id, field, reason, remedy from quarantine where entity = 'file'")
    assert {row[0] for row in quarantined} == {f"file:{name}" for name in WRONG}
    assert all(reason and remedy for *_, reason, remedy in quarantined)
    assert len(desk.contacts()) == 9  # three people of three vendors: the same person in another format is the same row
    assert {json.loads(p)["vendor"] for (p,) in desk.query("select payload from contact")} == set(VENDORS)


@pytest.mark.parametrize("vendor", VENDORS.values(), ids=lambda vendor: vendor.name)
def test_no_two_columns_of_a_vendor_share_a_spelling(vendor):
    keys = [heading_key(column) for column in vendor.columns]

    assert len(set(keys)) == len(keys)
    assert not {key for key in map(heading_key, vendor.aliases) if key in keys} - {
        heading_key(column) for column in vendor.aliases.values()
    }


@pytest.mark.parametrize(
    "spelt", [str.upper, str.lower, lambda name: name.replace(" ", "_"), lambda name: f" {name}\t"]
)
def test_blanks_case_and_underscores_do_not_tell_headings_apart(tmp_path, spelt):
    path = tmp_path / "people.csv"
    path.write_text(text_of(UPLEAD_ROW, headings=[spelt(name) for name in UPLEAD_ROW]))

    assert [line.cells for line in read_export(path, VENDORS["uplead"])] == [UPLEAD_ROW]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_encodings_and_delimiters_are_found_out(tmp_path, encoding, delimiter):
    path = tmp_path / "people.csv"
    path.write_bytes(text_of(APOLLO_ROW | {"Title": 'a, "b";\nc'}, delimiter=delimiter).encode(encoding))

    [line] = read_export(path, VENDORS["apollo"])

    assert line.cells == APOLLO_ROW | {"Title": 'a, "b";\nc'}


def test_a_line_of_json_that_is_none_is_one_broken_row(desk):
    good = json.dumps(UPLEAD_ROW | {"Employees": 12, "Tags": ["a"], "Phone": None})
    desk.drop("uplead/people.jsonl", f"{good}\n\n{{half a\n[1]\n")

    meter = desk.run()

    [payload] = desk.contacts().values()
    assert (payload["Employees"], payload["Tags"], "Phone Number" in payload) == ("12", '["a"]', False)
    assert desk.query("select id, reason from quarantine order by id") == [
        ("contact:uplead/people.jsonl:3", "no JSON"),
        ("contact:uplead/people.jsonl:4", "a list instead of an object"),
    ]
    assert meter.quarantined == 2


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.jsonl", b"", "holds no JSON object"),
        ("a.jsonl", b"\xff\xfe\x00", "is not UTF-16"),
        ("a.parquet", b"PAR1 torn", "is no Parquet file"),
        ("a.xlsx", b"", "is no XLSX workbook"),
        ("a.xlsx", b"PK\x05\x06" + bytes(18), "is no XLSX workbook"),
        ("a.csv", b"", "has no headings"),
        ("a.tsv", b"\n\n", "has no headings"),
    ],
)
def test_a_file_that_is_none_is_refused_in_words(tmp_path, name, content, told):
    path = tmp_path / name
    path.write_bytes(content)

    with pytest.raises(FileRefused, match=told):
        list(read_export(path, VENDORS["apollo"]))


def test_a_workbook_that_would_unpack_without_end_is_not_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(formats, "UNPACKED_BYTES_MAX", 1_000_000)
    path = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/worksheets/sheet1.xml", b"0" * 2_000_000)

    with pytest.raises(FileRefused, match="2,000,000 bytes unpacked"):
        open_sheet(path, len)


def test_cells_are_what_a_csv_would_hold(tmp_path):
    path = tmp_path / "kinds.parquet"
    moment = pa.scalar("2026-03-14T08:30:00").cast(pa.timestamp("us"))
    pq.write_table(
        pa.table(
            {
                "whole": [12.0],
                "part": [12.5],
                "nan": [float("nan")],
                "none": pa.array([None], pa.string()),
                "yes": [True],
                "day": pa.array(["2026-03-14"]).cast(pa.date32()),
                "moment": pa.array([moment.as_py()]),
            }
        ),
        path,
    )

    [(number, cells)] = open_sheet(path, len).rows

    assert (number, cells) == (1, ["12", "12.5", "", "", "true", "2026-03-14", "2026-03-14T08:30:00"])
