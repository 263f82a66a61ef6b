"""Promises of the publishing story: state, reason, writes and work items of one record, by index and without values."""

from __future__ import annotations

import json
import time

import pytest
import sqlalchemy as sa
from publishing_house import contact, organisation

from assets.publishing.reconcile import reconcile
from assets.publishing.story import story_of
from sources.simulation import Fault

ACME = organisation("org_acme", "Acme Ltd", domain="acme.test")
ANN = contact("con_ann", "Ann", "Lee", "org_acme", job_title="Manager")


def test_a_record_tells_its_writes_the_newest_first_and_its_work_items(house):
    house.commit(ACME, ANN)
    house.publish()
    house.commit({**ANN, "job_title": "Director"})
    house.publish()
    house.edit("Users", "Ann Lee", title="Head of Tea")
    reconcile(house.ledger, house.clock, house.halo, run_id="nightly")

    story = story_of(house.ledger, "con_ann")

    user = house.row("Users", "Ann Lee")["id"]
    assert (story["state"], story["version"], story["reason"]) == ("published", 2, None)
    assert [(sent["operation"], sent["fields"], sent["state"]) for sent in story["effects"]] == [
        ("update", ["job_title"], "acked"),
        ("create", ["email", "first_name", "full_name", "job_title", "last_name", "site_id"], "acked"),
    ]
    assert [(row["resource"], row["halo_id"]) for row in story["records"]] == [("Users", user)]
    assert [(item["kind"], item["field"], item["state"]) for item in story["work"]] == [
        ("human_edit", "job_title", "open")
    ]
    told = json.dumps(story, default=str)
    assert "Head of Tea" not in told
    assert "Director" not in told


def test_a_held_and_a_lost_record_say_why(house):
    house.commit(ACME, ANN, contact("con_lone", "Lone", "Wolf", None))
    house.simulator.faults.append(Fault(effect="status", status=503, path="/api/Users", method="POST", times=-1))
    house.publish()

    lost, held = story_of(house.ledger, "con_ann"), story_of(house.ledger, "con_lone")

    assert lost["state"] in ("unknown", "unpublished")
    assert lost["effects"][0]["state"] in ("unknown", "absent")
    assert (held["state"], held["effects"]) == ("held", [])
    assert held["why"].startswith("it has no organisation")


def test_nobody_s_story_is_none(house):
    assert story_of(house.ledger, "con_nobody") is None


@pytest.mark.one_store
def test_the_story_is_found_by_index_whatever_the_size_of_the_ledger(house):
    """Not by timing alone: no table of the ledger may be read from end to end."""
    house.commit(ACME, ANN)
    house.publish()
    plans: list[str] = []

    @sa.event.listens_for(house.ledger._store.engine, "before_cursor_execute")
    def explain(connection, cursor, statement, parameters, context, executemany):
        if statement.startswith("SELECT"):
            raw = connection.connection.cursor()
            raw.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
            plans.extend(row[3] for row in raw.fetchall())

    began = time.perf_counter()
    story_of(house.ledger, "con_ann")
    sa.event.remove(house.ledger._store.engine, "before_cursor_execute", explain)

    assert [step for step in plans if step.startswith("SCAN")] == []
    assert len(plans) >= 6
    assert time.perf_counter() - began < 1
