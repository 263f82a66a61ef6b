"""Promises of ledger and commit: all or nothing, once, private, and stamps that never go back."""

from __future__ import annotations

import stat
from datetime import timedelta

import pyarrow as pa
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from hypothesis import given, settings
from hypothesis import strategies as st
from publishing_house import changes_between, contact, organisation

from assets.publishing import credits, heads, models, registry, runs, tables
from assets.publishing.commit import commit
from assets.publishing.ledger import Ledger, LedgerBusy, LedgerError, next_stamp
from sources.clock import VirtualClock
from tests.assets.publishing import ledgers

ACME = organisation("org_acme", "Acme Ltd")
ANN = contact("con_ann", "Ann", "Lee", "org_acme")


def members(**owner_of: str) -> pa.Table:
    return pa.table(
        {
            "record_key": [key.replace("_", ":") for key in owner_of],
            "entity": ["contact" if owner.startswith("con") else "organisation" for owner in owner_of.values()],
            "golden_id": list(owner_of.values()),
        }
    )


def test_migrations_from_empty_give_exactly_the_tables_of_the_metadata(tmp_path):
    ledger = ledgers.opened(tmp_path)

    with ledger.read() as connection:
        context = MigrationContext.configure(connection)
        difference = compare_metadata(context, tables.metadata)

    assert difference == []


def test_a_ledger_of_a_newer_release_is_refused_with_a_remedy(tmp_path):
    ledger = ledgers.opened(tmp_path)
    with ledger.transaction() as connection:
        connection.execute(sa.text("update alembic_version set version_num = '9999'"))

    with pytest.raises(LedgerError, match="another release"):
        ledgers.opened(tmp_path)


@pytest.mark.one_store
def test_a_file_that_is_no_ledger_is_refused_with_a_remedy(tmp_path):
    path = tmp_path / "ledger.sqlite"
    path.write_bytes(b"this is not a database, and long enough to be looked at" * 50)

    with pytest.raises(LedgerError, match="backup"):
        Ledger.open(path)


@pytest.mark.one_store
def test_the_ledger_and_its_side_files_are_for_the_owner_alone(tmp_path):
    ledger = Ledger.open(f"sqlite:///{tmp_path}/new/ledger.sqlite")
    credits.LedgerPurse(lambda: ledger, VirtualClock(), "apollo", run_id="r").reserve(
        1, entity="contact", asked=(), balance=None
    )

    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "new").iterdir()}

    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700


def test_the_same_change_committed_twice_writes_no_rows(house):
    changes = {"contact": changes_between({}, {"con_ann": ANN}, "contact")}
    given_members = members(uplead_1="con_ann")
    first = commit(house.ledger, house.clock, run_id="a", changes=changes, members=given_members)

    second = commit(house.ledger, house.clock, run_id="b", changes=changes, members=given_members)

    assert (first.seq, first.changed, first.members_moved) == (1, {"organisation": 0, "contact": 1}, 1)
    assert (second.seq, second.changed, second.members_moved) == (None, {"organisation": 0, "contact": 0}, 0)
    with house.ledger.read() as connection:
        counts = {
            name: connection.scalar(sa.select(sa.func.count()).select_from(table))
            for name, table in tables.metadata.tables.items()
        }
    assert {name: counts[name] for name in ("commit_log", "change_log", "head", "outbox", "registry", "golden_id")} == {
        "commit_log": 1, "change_log": 1, "head": 1, "outbox": 1, "registry": 1, "golden_id": 1,
    }  # fmt: skip


def test_a_commit_that_fails_half_way_leaves_nothing(house, monkeypatch):
    def broken(*args, **kwargs):
        raise OSError("disk full")

    monkeypatch.setattr(models, "store", broken)
    changes = {"contact": changes_between({}, {"con_ann": ANN}, "contact")}

    with pytest.raises(OSError, match="disk full"):
        commit(house.ledger, house.clock, run_id="a", changes=changes, members=members(uplead_1="con_ann"))

    assert heads.as_arrow(house.ledger, "contact").num_rows == 0
    assert registry.as_arrow(house.ledger, "contact").num_rows == 0


@settings(max_examples=15)
@given(st.lists(st.integers(min_value=-(10**7), max_value=10**7), max_size=20))
def test_stamps_increase_whatever_the_clock_does(tmp_path_factory, steps_s):
    ledger = ledgers.opened(tmp_path_factory.mktemp("stamps"))
    start = VirtualClock().now()
    stamps = []

    for step_s in steps_s:
        with ledger.transaction() as connection:
            stamps.append(next_stamp(connection, VirtualClock(start + timedelta(seconds=step_s))))

    assert stamps == sorted(set(stamps))


def test_heads_and_registry_read_back_what_was_committed(house):
    house.commit(ACME, ANN)
    changes = {
        "contact": changes_between(house.golden["contact"], {"con_ann": {**ANN, "job_title": "Boss"}}, "contact")
    }
    commit(
        house.ledger, house.clock, run_id="b", changes=changes, members=members(uplead_1="con_ann", apollo_2="org_acme")
    )

    head = heads.as_arrow(house.ledger, "contact").to_pylist()

    assert [(row["golden_id"], row["version"]) for row in head] == [("con_ann", 2)]
    assert head[0]["content_hash"] == changes["contact"]["content_hash"][0].as_py()
    known = registry.as_arrow(house.ledger, "contact").to_pylist()
    assert [(row["record_key"], row["golden_id"], row["first_seq"]) for row in known] == [("uplead:1", "con_ann", 1)]


def test_a_golden_id_once_given_is_known_for_ever(house):
    house.commit(ACME, ANN)

    house.commit(gone=("con_ann",))

    ids = registry.ids_as_arrow(house.ledger, "contact").to_pylist()
    assert ids == [{"golden_id": "con_ann", "first_seq": 1, "is_live": False}]
    assert heads.count_live(house.ledger) == {"organisation": 1}


def test_a_retired_record_keeps_no_values(house):
    house.commit(ACME, ANN)
    house.commit(gone=("con_ann",))

    with house.ledger.read() as connection:
        row = connection.execute(sa.select(tables.head).where(tables.head.c.golden_id == "con_ann")).one()

    assert (row.content, row.reason, row.version, row.is_live) == (None, "retired", 2, False)


def test_a_model_is_stored_once_and_read_back_newest(house):
    for body in ({"m": 1}, {"m": 1}, {"m": 2}):
        commit(house.ledger, house.clock, run_id="a", changes={}, new_models={"contact": body})

    with house.ledger.read() as connection:
        versions = connection.execute(sa.select(tables.model.c.version)).scalars().all()
    assert (models.latest(house.ledger, "contact"), versions) == ({"m": 2}, [1, 2])
    assert models.latest(house.ledger, "organisation") is None


@pytest.mark.parametrize(
    ("entity", "kind", "said"), [("prospect", "created", "unknown entities"), ("contact", "moved", "change_kind")]
)
def test_misuse_is_refused_before_anything_is_written(house, entity, kind, said):
    changes = changes_between({}, {"con_ann": ANN}, "contact").set_column(
        changes_between({}, {"con_ann": ANN}, "contact").schema.get_field_index("change_kind"), "change_kind", [[kind]]
    )

    with pytest.raises(ValueError, match=said):
        commit(house.ledger, house.clock, run_id="a", changes={entity: changes})

    assert heads.count_live(house.ledger) == {}


def test_a_writer_that_waits_too_long_is_told_that_the_ledger_is_busy(tmp_path):
    ledger = ledgers.opened(tmp_path)
    impatient = ledgers.opened(tmp_path, busy_timeout_s=0.05)

    with ledger.transaction(), pytest.raises(LedgerBusy), impatient.transaction():
        pass


def test_a_run_that_was_killed_is_closed_by_the_next_of_its_kind(house):
    runs.begin(house.ledger, house.clock, run_id="one", kind="full")
    house.clock.sleep(60)
    runs.begin(house.ledger, house.clock, run_id="two", kind="full")
    runs.end(house.ledger, house.clock, run_id="two", state="done", summary={"golden": 3})

    with house.ledger.read() as connection:
        states = dict(connection.execute(sa.select(tables.run.c.run_id, tables.run.c.state)).all())
    assert states == {"one": "killed", "two": "done"}
    assert runs.last(house.ledger, "full")["summary"] == {"golden": 3}


def test_the_registry_knows_who_is_absent_and_since_when_whoever_returns_belongs_to_its_id(house):
    given = {"organisation": changes_between({}, {"org_acme": ACME}, "organisation")}
    commit(
        house.ledger, house.clock, run_id="a", changes=given, members=members(apollo_1="org_acme", uplead_1="org_acme")
    )
    first = {row["record_key"]: row for row in registry.as_arrow(house.ledger, "organisation").to_pylist()}
    house.clock.sleep(60)

    commit(house.ledger, house.clock, run_id="b", changes={}, members=members(apollo_1="org_acme"))
    left = {row["record_key"]: row["is_present"] for row in registry.as_arrow(house.ledger, "organisation").to_pylist()}
    house.clock.sleep(60)
    commit(house.ledger, house.clock, run_id="c", changes={}, members=members(apollo_1="org_acme", uplead_1="org_acme"))

    assert left == {"apollo:1": True, "uplead:1": False}
    assert {row["record_key"]: row for row in registry.as_arrow(house.ledger, "organisation").to_pylist()} == first
