"""The verbs as a person calls them: help, exit codes, one clear line for every mistake."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import duckdb
import pytest

from orchestration.cli import VERBS
from orchestration.settings import PROJECT_ROOT


def halosync(*arguments, data, **environment):
    known = {name: value for name, value in os.environ.items() if not name.startswith(("SOURCES__", "HALOSYNC"))}
    return subprocess.run(
        [sys.executable, "-m", "orchestration.cli", *arguments],
        cwd=PROJECT_ROOT,
        env=known | {"HALOSYNC_DATA": str(data), **environment},
        capture_output=True,
        text=True,
        timeout=240,
    )


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help(verb, tmp_path):
    done = halosync(verb, "--help", data=tmp_path)

    assert done.returncode == 0
    assert f"halosync {verb}" in done.stdout


def test_no_verb_shows_the_verbs(tmp_path):
    done = halosync(data=tmp_path)

    assert done.returncode == 2
    assert all(verb in done.stderr for verb in VERBS)


def test_an_unknown_verb_is_a_usage_error(tmp_path):
    done = halosync("frobnicate", data=tmp_path)

    assert done.returncode == 2
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "environment", "told"),
    [
        (["run"], {}, "No source is configured"),
        (["run", "--source", "apollo"], {}, "SOURCES__APOLLO__API_KEY is missing"),
        (["run"], {"SOURCES__APOLLO__API_KEY": "k"}, "SOURCES__APOLLO__QUERY is missing"),
        (["run"], {"SOURCES__UPLEAD__API_KEY": "k"}, "SOURCES__HALOPSA__BASE_URL is missing"),
        (["run"], {"SOURCES__HALOPSA__CALLS_PER_WINDOW": "x"}, "SOURCES__HALOPSA__CALLS_PER_WINDOW is wrong"),
        (["demo", "--people", "7"], {}, "50 to 1000000"),
        (["demo", "--change", "2"], {}, "between 0 and 1"),
        (["resolve", "missing.csv", "--entity", "contact", "--out", "o.csv"], {}, "missing.csv"),
    ],
)
def test_a_mistake_is_one_line_and_exit_2(arguments, environment, told, tmp_path):
    done = halosync(*arguments, data=tmp_path, **environment)

    assert done.returncode == 2
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_an_unwritable_data_folder_is_exit_2(tmp_path):
    (tmp_path / "file").write_text("")

    done = halosync("demo", data=tmp_path / "file" / "data")

    assert done.returncode == 2
    assert "Set HALOSYNC_DATA" in done.stderr


def test_a_locked_warehouse_is_exit_5_and_says_what_to_do(tmp_path):
    (tmp_path / "demo").mkdir()
    with duckdb.connect(str(tmp_path / "demo" / "warehouse.duckdb")):
        done = halosync("demo", "--people", "60", data=tmp_path, WAREHOUSE_LOCK_WAIT_S="0.5")

    assert done.returncode == 5
    assert "open in another process" in done.stderr
    assert "Traceback" not in done.stderr


def test_check_says_what_is_configured_and_writes_nothing(tmp_path):
    done = halosync("check", "--json", data=tmp_path / "data", SOURCES__APOLLO__API_KEY="k")

    found = json.loads(done.stdout)
    assert done.returncode == 0
    assert found["sources"]["apollo"] == "configured"
    assert found["definitions"]["schedules"] == 2
    assert not (tmp_path / "data").exists()
