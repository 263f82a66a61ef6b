"""Each exit code once through the real command line; what it prints says why, in one JSON object or one line."""

from __future__ import annotations

import json

import duckdb
import pytest

from sources.simulation import Fault
from tests.orchestration.house import House, halosync

UNCHANGED = {"organisation": 0, "contact": 0}


@pytest.fixture
def copy(demo, tmp_path):
    """A house after its first run, where `demo` looks for it."""
    return House.of_demo(demo, tmp_path)


def test_0_when_all_is_done(copy):
    with copy.vendors() as (_, environment):
        done = halosync("run", "--json", data=copy.root, **environment)

    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert all(summary["fetched"][name] > 0 for name in ("apollo", "uplead", "halopsa"))
    assert (summary["changes"], summary["notes"]) == (UNCHANGED, [])


def test_reconcile_is_0_where_halopsa_holds_what_was_published_and_3_where_a_person_must_look(copy):
    with copy.vendors() as (around, environment):
        first = halosync("reconcile", "--json", data=copy.root, **environment)
        records = around.simulators["halopsa"].records
        mine = next(row for row in records.rows["Users"].values() if row.get("_custom"))
        records.delete("Users", mine["id"])
        second = halosync("reconcile", data=copy.root, **environment)

    found = json.loads(first.stdout)
    assert (first.returncode, second.returncode) == (0, 3), first.stderr + second.stderr
    assert (found["schema_version"], found["replanned"], found["problems"]) == (1, 0, [])
    assert {kind: count for kind, count in found["found"].items() if count} == {}
    assert "deleted" in second.stdout


def test_3_when_a_vendor_is_down(copy):
    """The others load, nothing is taken for deleted, nothing is written to HaloPSA."""
    with copy.vendors() as (around, environment):
        around.simulators["uplead"].faults = [Fault("drop", times=-1)]
        done = halosync("run", "--json", data=copy.root, **environment)

    assert done.returncode == 3, done.stderr
    summary = json.loads(done.stdout)
    assert [name for name in ("apollo", "uplead", "halopsa") if summary["fetched"][name] == 0] == ["uplead"]
    assert summary["changes"] == UNCHANGED
    assert [problem for problem in summary["problems"] if not problem.startswith("held:")] == [
        "UpLead: no whole answer (ConnectionError). What the archive holds is loaded, nothing is taken for deleted; the "
        "next run goes on."
    ]
    assert summary["notes"] == [
        "uplead: asked again after no whole answer (5 x); what did not come is among the problems."
    ]


def test_4_when_a_blocking_check_holds_the_run(copy, tmp_path):
    with duckdb.connect(str(copy.root / "warehouse.duckdb")) as connection:
        for source in ("apollo", "zoominfo"):
            connection.execute(f"delete from raw_{source}.contact")

    done = halosync("demo", "--json", data=tmp_path)

    assert done.returncode == 4, done.stderr
    summary = json.loads(done.stdout)
    assert any("retired_share" in text and "Nothing was sent." in text for text in summary["problems"])
    assert summary["halo"] == dict.fromkeys(("created", "updated", "unchanged", "held", "rejected"), 0)


def test_5_when_somebody_has_the_warehouse_open(copy, tmp_path):
    with duckdb.connect(str(copy.root / "warehouse.duckdb")):
        done = halosync("demo", "--json", data=tmp_path, WAREHOUSE_LOCK_WAIT_S="0.5")

    assert (done.returncode, done.stdout) == (5, "")
    assert "open in another process" in done.stderr
    assert "inspect.duckdb" in done.stderr
    assert "Traceback" not in done.stderr


def test_2_when_halopsa_does_not_know_us_before_anything_is_fetched(copy):
    with copy.vendors() as (around, environment):
        done = halosync("run", data=copy.root, **environment | {"SOURCES__HALOPSA__TENANT": "acme-wrong"})
        asked = sum(len(around.simulators[vendor].log) for vendor in ("apollo", "zoominfo", "uplead"))

    assert (done.returncode, asked) == (2, 0)
    assert done.stderr == (
        "halopsa: HaloPSA is up and its sign-in does not know tenant 'acme-wrong'; it calls itself 'acme'. Mend "
        "SOURCES__HALOPSA__TENANT. Nothing was fetched. Without HaloPSA: halosync run --no-publish.\n"
    )


def test_restore_is_2_where_no_overwritten_value_is_listed(copy):
    with copy.vendors() as (_, environment):
        done = halosync("reconcile", "--restore", "con_0123", "job_title", data=copy.root, **environment)

    assert done.returncode == 2
    assert "con_0123: no overwritten value" in done.stderr
