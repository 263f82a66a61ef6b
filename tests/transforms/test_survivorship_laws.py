"""Laws of survivorship: every golden cell can be derived again, by another hand, from the records and the rules."""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_survivorship import derive

from sources.world.world import World
from transforms import pipeline
from transforms.context import Context
from transforms.contracts import ENTITIES, TABLES
from transforms.engines.duckdb import DuckDBEngine
from transforms.kernels.standardise import arrow_schema, standardise_contact, standardise_organisation
from transforms.survivorship.kernel import PROVENANCE_SCHEMA, survive
from transforms.survivorship.locks import LOCK_SCHEMA
from transforms.survivorship.rules import VENDORS, Rules, shipped_rules, value_types

Record = dict[str, Any]

LOCKS = pa.list_(pa.struct([("seq", pa.int64()), ("field", pa.string()), ("value", pa.string())]))
SCHEMAS = {
    entity: pa.schema(
        [
            pa.field("golden_id", pa.string()),
            *arrow_schema(TABLES[f"standardised.{entity}"]),
            *([pa.field("organisation_golden_id", pa.string())] if entity == "contact" else []),
            pa.field("locks", LOCKS),
        ]
    )
    for entity in ENTITIES
}


def _values(entity: str, field: str) -> st.SearchStrategy[Any]:
    kind = value_types(entity)[field]
    if kind == "boolean":
        return st.sampled_from([None, True, False])
    if kind == "bigint":
        return st.sampled_from([None, 1, 20])
    if field == "email_status":
        return st.sampled_from([None, "verified", "risky", "unknown", "guessed", "invalid"])
    return st.sampled_from([None, "a", "b", 'é"', "long text"])


@dataclass
class Case:
    """A few clusters, the rules over them; the values are in two groups, so that records meet and failures are short."""

    entity: str
    records: list[Record]
    rules: Rules


@st.composite
def _cases(draw: st.DrawFn, entity: str = "contact") -> Case:
    data = shipped_rules().model_dump()
    data["sources"] = draw(st.permutations(VENDORS).map(lambda names: names[:2]))
    groups = draw(st.lists(st.sampled_from(data[entity]["groups"]), min_size=2, max_size=2, unique_by=id))
    for group in groups:
        group |= _group_rules(draw, entity, group["fields"])
    carried = ["organisation_golden_id"] if entity == "contact" else []
    fields = sorted({*carried, *(field for group in groups for field in group["fields"])})
    records = [draw(_record(entity, fields, number)) for number in range(draw(st.integers(1, 8)))]
    return Case(entity, records, Rules.model_validate(data))


def _group_rules(draw: st.DrawFn, entity: str, fields: tuple[str, ...]) -> Record:
    """Any order of rules that the file may state for these fields."""
    is_loose = len(fields) > 1 and draw(st.booleans())
    may_follow = entity == "contact" and "organisation_golden_id" not in fields
    allowed = {
        "vote": True,
        "recency": True,
        "priority": True,
        "longest": value_types(entity)[fields[0]] == "varchar",
        "verified": "email_status" in fields,
        "completeness": len(fields) > 1,
        "leading": is_loose,
        "employer": may_follow,
    }
    rules = draw(st.lists(st.sampled_from([rule for rule in allowed if allowed[rule]]), min_size=1, unique=True))
    sources = draw(st.sampled_from(VENDORS)) if "priority" in rules and draw(st.booleans()) else None
    agreement = draw(st.sampled_from([1, 1, 2, 3]))
    return {"loose": is_loose, "rules": rules, "agreement": agreement, "sources": sources and [sources]}


@st.composite
def _record(draw: st.DrawFn, entity: str, fields: list[str], number: int) -> Record:
    """Keys are unique, decisions have an order that is not that of the records, some are of one moment."""
    source = draw(st.sampled_from([*VENDORS, "exports"]))
    vendor = f"{draw(st.sampled_from(VENDORS))}:" if source == "exports" else ""
    locked = draw(st.lists(st.sampled_from(fields), max_size=1)) if draw(st.integers(0, 3)) == 0 else []
    record = dict.fromkeys(value_types(entity)) | {field: draw(_values(entity, field)) for field in fields}
    return record | {
        "golden_id": f"g{draw(st.integers(1, 2))}",
        "record_key": f"{source}:{vendor}{number}",
        "source": source,
        "source_updated_at": draw(st.sampled_from([None, datetime(2025, 1, 1), datetime(2026, 1, 1)])),
        "locks": [
            {"seq": 7 * number % 4, "field": field, "value": _as_text(draw(_values(entity, field)))} for field in locked
        ]
        or None,
    }


def _as_text(value: object) -> str | None:
    return None if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _kernel(records: list[Record], entity: str, rules: Rules) -> list[Record]:
    batch = pa.RecordBatch.from_pylist(records, schema=SCHEMAS[entity])
    rows = survive(batch, entity=entity, rules=rules).to_pylist()
    return sorted(rows, key=lambda row: (row["golden_id"], row["field"]))


def _plainly(records: list[Record], entity: str, rules: Rules) -> list[Record]:
    rows = []
    for golden_id in sorted({record["golden_id"] for record in records}):
        members = [record for record in records if record["golden_id"] == golden_id]
        cells = derive(members, entity, rules)
        rows += [
            dict(zip(PROVENANCE_SCHEMA.names, (golden_id, field, *cells[field]), strict=True))
            for field in sorted(cells)
        ]
    return rows


@pytest.mark.parametrize("entity", ENTITIES)
@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_the_kernel_agrees_with_the_rules_in_plain_words(entity: str, data: st.DataObject) -> None:
    """Random clusters, locks and rules; value, record, rule and losers are equal, cell by cell."""
    case = data.draw(_cases(entity))

    assert _kernel(case.records, entity, case.rules) == _plainly(case.records, entity, case.rules)


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_the_order_of_rows_and_the_company_in_a_batch_do_not_show(data: st.DataObject) -> None:
    case = data.draw(_cases())
    records, rules = case.records, case.rules
    whole = _kernel(records, "contact", rules)

    shuffled = data.draw(st.permutations(records))
    one_by_one = [
        row
        for golden_id in sorted({record["golden_id"] for record in records})
        for row in _kernel([record for record in records if record["golden_id"] == golden_id], "contact", rules)
    ]

    assert _kernel(shuffled, "contact", rules) == whole
    assert one_by_one == whole


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_a_record_that_says_nothing_changes_nothing(data: st.DataObject) -> None:
    case = data.draw(_cases())
    records, rules = case.records, case.rules

    silent = {"golden_id": records[0]["golden_id"], "record_key": "apollo:000", "source": "apollo"}

    assert _kernel([silent, *records], "contact", rules) == _kernel(records, "contact", rules)


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_a_golden_record_among_its_own_records_stays_as_it_is(data: st.DataObject) -> None:
    """Idempotent: what survives, taken as the only record, survives unchanged."""
    records, rules = data.draw(_cases()).records, shipped_rules()
    kinds = value_types("contact")
    first = [row for row in _kernel(records, "contact", rules) if row["value"] is not None]
    golden: dict[str, Record] = {}
    for row in first:
        value = row["value"] == "true" if kinds[row["field"]] == "boolean" else row["value"]
        golden.setdefault(row["golden_id"], {"golden_id": row["golden_id"], "source": "apollo"})[row["field"]] = value
    again = _kernel(
        [{**record, "record_key": f"apollo:{golden_id}"} for golden_id, record in golden.items()], "contact", rules
    )

    orphans = {  # a field that travels with one that nobody said, such as the status of no address: only a lock makes it
        (row["golden_id"], field)
        for row in first
        for group in rules.contact.groups
        for field in group.fields[1:]
        if not group.loose and group.fields[0] not in golden[row["golden_id"]]
    }
    assert [(row["golden_id"], row["field"], row["value"]) for row in again] == [
        (row["golden_id"], row["field"], row["value"])
        for row in first
        if (row["golden_id"], row["field"]) not in orphans
    ]


def test_the_kernel_can_be_sent_to_another_process() -> None:
    kernel = partial(survive, entity="contact", rules=shipped_rules())
    batch = pa.RecordBatch.from_pylist(
        [{"golden_id": "g", "record_key": "apollo:1", "source": "apollo", "city": "Leeds"}], schema=SCHEMAS["contact"]
    )

    assert pickle.loads(pickle.dumps(kernel))(batch) == kernel(batch)


@dataclass
class House:
    """Golden tables, and what they were made from."""

    engine: DuckDBEngine
    rules: Rules
    locks: list[Record]

    def members(self, entity: str) -> dict[str, list[Record]]:
        """golden_id -> standardised records with their employer and locks: joined here, not by the pipeline's SQL."""
        rows = self.engine.fetch("golden.crosswalk").to_pylist()
        golden_of = {(row["entity"], row["record_key"]): row["golden_id"] for row in rows}
        found: dict[str, list[Record]] = {}
        for record in self.engine.fetch(f"standardised.{entity}").to_pylist():
            key = record["record_key"]
            record["locks"] = [lock for lock in self.locks if lock["entity"] == entity and lock["record_key"] == key]
            if entity == "contact":
                record["organisation_golden_id"] = golden_of.get(("organisation", record["organisation_key"]))
            found.setdefault(golden_of[entity, key], []).append(record)
        return found


def _standardised(root: Path) -> dict[str, pa.Table]:
    """A world's files, with what files do not have (status, do-not-call, moments, employers) dealt out by turns."""
    said = {entity: pq.read_table(root / f"{entity}.parquet") for entity in ENTITIES}
    employers = dict(
        zip(said["organisation"]["domain"].to_pylist(), said["organisation"]["record_id"].to_pylist(), strict=True)
    )
    rows = said["contact"].to_pylist()
    for number, row in enumerate(rows):
        row["organisation_key"] = employers.get(row["organisation_domain"])
        row["email_status"] = ["verified", "guessed", "risky", None][number % 4]
        row["phone_do_not_call"] = [True, False, None][number % 3]
        row["source_updated_at"] = [datetime(2026, 1, 1), None, datetime(2025, 1, 1 + number % 28)][number % 3]
    given = {"contact": rows, "organisation": said["organisation"].to_pylist()}
    made = {}
    for entity, kernel in (("contact", standardise_contact), ("organisation", standardise_organisation)):
        keyed = [{**row, "record_key": row["record_id"], "source_id": row["record_id"]} for row in given[entity]]
        schema = arrow_schema(TABLES[f"standardised.{entity}_input"])
        made[entity] = pa.Table.from_batches([kernel(pa.RecordBatch.from_pylist(keyed, schema=schema))])
    return made


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    """A simulated world clustered by its truth, with locks and one rule that is not the shipped one."""
    root = tmp_path_factory.mktemp("world")
    world = World.generate(400, 11)
    world.write_raw(root)
    standardised, truth = _standardised(root), world.truth()
    data = shipped_rules().model_dump()
    data["contact"]["groups"][1]["agreement"] = 2
    keys = standardised["contact"]["record_key"].to_pylist()
    locks = [
        {"entity": "contact", "record_key": keys[0], "field": "job_title", "value": "Keeper", "seq": 1},
        {"entity": "contact", "record_key": keys[1], "field": "email", "value": None, "seq": 2},
        {"entity": "contact", "record_key": keys[2], "field": "phone_do_not_call", "value": "true", "seq": 3},
        {"entity": "contact", "record_key": "apollo:gone", "field": "city", "value": "Rome", "seq": 4},
    ]
    context = Context(run_at=datetime(2026, 1, 1), rules=Rules.model_validate(data))
    context.locks = pa.Table.from_pylist(locks, schema=LOCK_SCHEMA)
    engine = DuckDBEngine()
    pipeline.prepare(engine, context)
    for entity in ENTITIES:
        of_entity = truth[truth["entity"] == entity]
        members = pa.table(
            {
                "record_key": pa.array(of_entity["record_key"], pa.string()),
                "golden_id": [f"{entity}_{number}" for number in of_entity["entity_id"]],
                "since": pa.nulls(len(of_entity), pa.timestamp("us")),
            }
        )
        engine.put(f"golden.{entity}_identity", members)
        engine.put(f"golden.{entity}_touched", members.group_by("golden_id").aggregate([]))
    for entity in ENTITIES:
        engine.put(f"standardised.{entity}", standardised[entity])
        for table in (f"{entity}_member", f"{entity}_provenance", entity):
            pipeline.build(engine, f"golden.{table}", context)
    for table in ("provenance", "crosswalk"):
        pipeline.build(engine, f"golden.{table}", context)
    assert context.rules is not None
    return House(engine, context.rules, locks)


def test_every_golden_cell_is_derived_again_from_the_records_and_the_rules(house: House) -> None:
    golden = {
        row["golden_id"]: row for entity in ENTITIES for row in house.engine.fetch(f"golden.{entity}").to_pylist()
    }
    stored = sorted(
        (
            tuple(row[name] for name in PROVENANCE_SCHEMA.names)
            for row in house.engine.fetch("golden.provenance").to_pylist()
        ),
        key=lambda row: row[:2],
    )

    derived = {
        (golden_id, field): cell
        for entity in ENTITIES
        for golden_id, members in house.members(entity).items()
        for field, cell in derive(members, entity, house.rules).items()
    }

    assert stored == sorted((*place, *cell) for place, cell in derived.items())
    assert {rule for *_, rule, _ in stored} >= {"lock", "agreement", "any", "employer", "vote", "only"}
    for golden_id, row in golden.items():
        entity = golden_id.split("_")[0]
        expected = {field: derived.get((golden_id, field), (None,))[0] for field in value_types(entity)}
        assert {field: _as_text(row[field]) for field in value_types(entity)} == expected


def test_a_golden_cell_is_the_value_of_the_record_it_names_or_a_lock(house: House) -> None:
    records = {
        (golden_id, record["record_key"]): record
        for entity in ENTITIES
        for golden_id, members in house.members(entity).items()
        for record in members
    }
    locked = {(lock["record_key"], lock["field"]): lock["value"] for lock in house.locks}
    seen_locks = set()

    for row in house.engine.fetch("golden.provenance").to_pylist():
        place = (row["record_key"], row["field"])
        if row["record_key"] is None:
            assert (row["value"], row["rule"]) == (None, "agreement") or row["rule"] == "lock"
        elif place in locked:
            assert (row["value"], row["rule"]) == (locked[place], "lock")
            seen_locks.add(place)
        else:
            assert row["value"] == _as_text(records[row["golden_id"], row["record_key"]][row["field"]])

    assert seen_locks == set(locked) - {("apollo:gone", "city")}
