"""`halosync report` as a person calls it: the page, the ids behind a number, labels, and one clear line otherwise."""

from __future__ import annotations

import csv
import json

import duckdb
import pytest

from tests.orchestration.house import House, halosync


@pytest.fixture(scope="module")
def data(demo, tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    House.of_demo(demo, folder)
    return folder


@pytest.fixture(scope="module")
def made(data):
    """The report, once, by the real command, with answers of a person who agrees with every golden record."""
    with duckdb.connect(str(data / "demo" / "inspect.duckdb"), read_only=True) as connection:
        connection.execute(
            "copy (select 'contact' as entity, pair.record_key_l, pair.record_key_r, "
            "case when one.golden_id = two.golden_id then 'yes' else 'no' end as same "
            "from resolved.contact_pair as pair "
            "inner join golden.crosswalk as one on pair.record_key_l = one.record_key and one.entity = 'contact' "
            "inner join golden.crosswalk as two on pair.record_key_r = two.record_key and two.entity = 'contact') "
            f"to '{data / 'pairs.csv'}' (header)"
        )
    answers = ("--labels", str(data / "pairs.csv"))
    done = halosync("report", "--demo", "--json", "--out", str(data / "out"), *answers, data=data)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def run_here(arguments, monkeypatch, data, capsys):
    """The same command in this process: exit code, stdout, stderr."""
    from orchestration.cli import main

    monkeypatch.setenv("HALOSYNC_DATA", str(data))
    code = main(arguments)
    told = capsys.readouterr()
    return code, told.out, told.err


def test_the_report_is_a_page_a_json_and_tables(made, data):
    assert made["verdict"]["words"].startswith("Yes")
    assert len(made["numbers"]) > 300
    page = (data / "out" / "quality.html").read_bytes()
    assert page == (data / "demo" / "reports" / "quality.html").read_bytes()
    with duckdb.connect(str(data / "demo" / "inspect.duckdb"), read_only=True) as connection:
        ((numbers, nights),) = connection.execute(
            "select count(*), count(distinct night) from quality.history"
        ).fetchall()
        ((mute,),) = connection.execute(
            "select count(*) from duckdb_tables() where schema_name = 'quality' and comment is null"
        ).fetchall()
    assert (numbers, nights, mute) == (len(made["numbers"]), 1, 0)


def test_a_number_is_explained_by_its_ids_and_its_sql(made, data, monkeypatch, capsys):
    number = next(one for one in made["numbers"] if one["number_id"] == "missing/contact/golden/phone")

    code, out, _ = run_here(["report", "--demo", "--explain", number["number_id"], "--json"], monkeypatch, data, capsys)

    told = json.loads(out)
    assert code == 0
    assert len(told["ids"]) == told["value"] == number["value"] > 0
    assert all(one.startswith("con_") for one in told["ids"])
    assert told["sql"].startswith("-- quality.completeness:")


def test_a_number_that_is_not_there_is_answered_with_those_that_are(made, data, monkeypatch, capsys):
    code, _, near = run_here(["report", "--demo", "--explain", "missing/contact/linkedin"], monkeypatch, data, capsys)
    _, _, far = run_here(["report", "--demo", "--explain", "nonsense"], monkeypatch, data, capsys)

    assert code == 2
    assert "Of missing there are: missing/contact/apollo/city" in near
    assert "The first part is one of:" in far


def test_what_a_person_answered_stands_in_the_report_and_is_kept(made, data):
    section = next(one for one in made["sections"] if one["section"] == "R4")
    judged = {row[1]: row[3:] for row in section["tables"][0]["rows"] if "labelled pairs" in row[2]}

    assert judged.keys() == {"precision", "recall"}
    assert judged["precision"][0] == 1.0
    kept = (data / "demo" / "reports" / "labels.csv").read_text().splitlines()
    assert len(kept) == len((data / "pairs.csv").read_text().splitlines())


def test_a_sample_to_label_is_written(made, data, monkeypatch, capsys):
    path = data / "sample.csv"

    code, out, _ = run_here(["report", "--demo", "--sample", str(path), "--json"], monkeypatch, data, capsys)

    with path.open() as stream:
        rows = list(csv.DictReader(stream))
    assert (code, json.loads(out)["pairs"]) == (0, len(rows))
    assert len(rows) > 50


def test_an_unanswered_sample_and_an_empty_folder_get_one_line(made, data, tmp_path, monkeypatch, capsys):
    blank = tmp_path / "blank.csv"
    blank.write_text("entity,record_key_l,record_key_r,same\ncontact,a:1,b:1,\n")

    found = [
        run_here(["report", "--demo", "--labels", str(blank)], monkeypatch, data, capsys),
        run_here(["report", "--demo"], monkeypatch, tmp_path / "nothing", capsys),
        run_here(["report", "--demo", "--explain", "golden/contact"], monkeypatch, tmp_path / "nothing", capsys),
    ]

    assert [code for code, _, _ in found] == [2, 2, 2]
    assert [err.strip().count("\n") for _, _, err in found] == [0, 0, 0]
    assert "no row is answered" in found[0][2]
    assert "nothing to report on yet" in found[1][2]


def test_the_checks_of_the_sections_are_in_dagster(made, data):
    """What the command ran, the UI shows: a check per section, with severities."""
    import dagster as dg

    with dg.DagsterInstance.local_temp(str(data / "demo" / "dagster")) as instance:
        key = dg.AssetKey(["quality", "report"])
        names = {f"r{number}" for number in range(1, 17)}
        records = instance.event_log_storage.get_asset_check_summary_records(
            [dg.AssetCheckKey(key, name) for name in _check_names()]
        )
    passed = {
        check.name.split("_")[0]: record.last_check_execution_record.status.value for check, record in records.items()
    }
    assert passed.keys() == names
    assert set(passed.values()) == {"SUCCEEDED"}


def _check_names():
    from assets.quality.dag import quality_report

    return [spec.name for spec in quality_report.check_specs]
