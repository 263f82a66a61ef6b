"""`halosync bench resolve` from the command line, with nobody but halosync: figures, receipts, usage errors."""

from __future__ import annotations

import json

import pandas as pd
import pyarrow as pa
import pytest

from orchestration.bench import report
from orchestration.bench.incremental import one_in_a_hundred_changed
from orchestration.settings import PROJECT_ROOT
from tests.orchestration.test_cli import halosync


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Sixty people, each told twice: one e-mail, one misspelt surname."""
    folder = tmp_path_factory.mktemp("data")
    (folder / "tiny").mkdir()
    rows, labels = [], []
    for number in range(60):
        first, last = f"Fi{chr(97 + number % 26)}na{number}", f"Surname{chr(97 + number // 3)}{number}"
        for turn in (0, 1):
            name = {"first_name": first, "last_name": last + "s" * turn, "email": f"{first}.{last}@example.com"}
            rows.append({"record_id": f"{number}-{turn}", "source": f"s{turn}"} | name)
            labels.append({"record_id": f"{number}-{turn}", "entity_id": number})
    pd.DataFrame(rows).to_parquet(folder / "tiny" / "records.parquet")
    pd.DataFrame(labels).to_parquet(folder / "tiny" / "labels.parquet")
    return folder


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return tmp_path_factory.mktemp("root")


def bench(data, root, *more):
    return halosync("bench", "resolve", "--data", str(data), "--peer", "halosync", *more, data=root)


def test_a_set_is_measured_once_and_then_read_from_its_receipt(data, root):
    first = bench(data, root, "--set", "tiny", "--json")
    again = bench(data, root, "--set", "tiny", "--json")

    (result,) = json.loads(first.stdout)["results"]
    assert (first.returncode, again.returncode) == (0, 0)
    assert json.loads(again.stdout) == json.loads(first.stdout)
    assert (result["set"], result["contestant"], result["rows"]) == ("tiny", "halosync", 120)
    assert result["figures"]["f1"] == 1.0
    assert result["figures"]["blocking"]["recall"] == 1.0
    assert result["cost"]["wall_s"] > 0
    assert result["cost"]["peak_mb"] > 50
    assert json.loads((root / "bench" / "resolve" / "tiny--halosync.json").read_text()) == result


def test_fresh_measures_again_and_the_table_names_set_and_tool(data, root):
    bench(data, root, "--set", "tiny", "--json")
    before = (root / "bench" / "resolve" / "tiny--halosync.json").stat().st_mtime_ns

    done = bench(data, root, "--set", "tiny", "--fresh")

    assert done.returncode == 0
    assert (root / "bench" / "resolve" / "tiny--halosync.json").stat().st_mtime_ns > before
    assert "tiny" in done.stdout
    assert "blocking recall 1 of all true pairs" in done.stdout


def test_one_record_in_a_hundred_changes():
    records = pa.table(
        {"record_id": [str(number) for number in range(900)], "job_title": [f"t{n}" for n in range(900)]}
    )

    changed = one_in_a_hundred_changed(records).to_pylist()

    before = {row["record_id"]: row["job_title"] for row in records.to_pylist()}
    new = [row for row in changed if row["record_id"] not in before]
    gone = before.keys() - {row["record_id"] for row in changed}
    edited = [row for row in changed if before.get(row["record_id"], row["job_title"]) != row["job_title"]]
    assert (len(new), len(gone), len(edited), len(changed)) == (3, 3, 3, 900)
    assert {row["record_id"] for row in new} == {f"{name}-again" for name in gone}


def test_a_changed_set_is_answered_alike_in_part_and_in_full(data, root):
    done = bench(data, root, "--only", "incremental", "--set", "tiny", "--json")

    (result,) = json.loads(done.stdout)["results"]
    assert done.returncode == 0
    assert set(result["costs"]) == {"first", "incremental", "full"}
    assert result["share"]["cpu_s"] == pytest.approx(
        result["costs"]["incremental"]["cpu_s"] / result["costs"]["full"]["cpu_s"], abs=1e-4
    )


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["resolve", "--peer", "nobody"], "No contestant 'nobody'; there are: halosync, splink"),
        (["resolve", "--set", "nothing"], "No set 'nothing'; there are: world-10k-"),
        (["resolve", "--size", "3"], "100 to 1000000"),
        (["nothing"], "nothing"),
    ],
)
def test_mistakes_are_usage_errors_with_one_clear_line(arguments, told, tmp_path):
    done = halosync("bench", *arguments, data=tmp_path)

    assert done.returncode == 2
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_a_peer_that_cannot_be_installed_is_told_and_the_rest_is_done(data, tmp_path):
    """An index that does not answer: uv is told to stay offline, with a cache that is empty."""
    arguments = ("bench", "resolve", "--data", str(data), "--set", "tiny", "--peer", "splink", "--json")

    done = halosync(*arguments, data=tmp_path, UV_OFFLINE="1", UV_CACHE_DIR=str(tmp_path / "cache"))

    body = json.loads(done.stdout)
    assert done.returncode == 3
    assert body["results"] == []
    assert body["problems"][0].startswith("tiny, splink: splink 5.0.0 cannot be installed: ")
    assert f"NOT DONE: {body['problems'][0]}" in done.stderr


STOPPED = {
    "set": "big",
    "rows": 5,
    "contestant": "slow",
    "commit": None,
    "key": {"package": "slow", "version": "1"},
    "machine": {"cores": 2},
    "cost": {"wall_s": 1800.0, "cpu_s": 3500.0, "peak_mb": 900.0, "load": 7.0, "stopped": "time over 30 minutes"},
    "figures": None,
}


def test_a_run_that_a_limit_stopped_has_a_line_in_the_table():
    (row,) = report.rows([STOPPED])

    assert len(row) == len(report.HEADINGS)
    assert row[:4] == ["big", "5", "slow", "stopped: time over 30 minutes"]


def test_docs_change_between_the_markers_only_and_again_alike():
    page = f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n"

    written = report.with_section(page, [STOPPED])

    assert written.startswith(f"before\n{report.BEGIN}\n")
    assert written.endswith(f"\n{report.END}\nafter\n")
    assert "old" not in written
    assert "| big | 5 | slow | stopped: time over 30 minutes |" in written
    assert "1 of 1 runs began while other programs kept every core busy" in written
    assert report.with_section(written, [STOPPED]) == written


def test_docs_keep_the_markers_of_the_bench_that_writes_them():
    text = (PROJECT_ROOT / "docs" / "benchmarks.md").read_text()

    assert all(f"<!-- bench resolve: {edge} -->" in text for edge in ("begin", "end"))
