"""The one definition of the pipeline: which table is made from which, and how.

Belongs here: the ordered steps, the context that a run brings, building them on any engine. Does not: SQL (sql/),
kernels (kernels/), engines (engines/), anything of Dagster (assets/ makes one asset of each step).
Surprise: inputs that come from outside (raw tables, registry, heads) are put by `prepare`, so that every step is a pure
function of tables and `Context` is read by nobody but `prepare`, the two training steps and survivorship (its rules).
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice

import pyarrow as pa

from transforms import driver, standing
from transforms.context import (
    DECISION_SCHEMA,
    HEAD_SCHEMA,
    IDS_SCHEMA,
    MOMENT,
    PREVIOUS,
    RAW_SCHEMA,
    REGISTRY_SCHEMA,
    Context,
    naive,
)
from transforms.contracts import ENTITIES, TABLES
from transforms.driver import Make
from transforms.engines.port import Engine, Kernel, Renewal
from transforms.kernels import references
from transforms.kernels.standardise import arrow_schema, standardise_contact, standardise_organisation
from transforms.survivorship import locks
from transforms.survivorship.kernel import PROVENANCE_SCHEMA, survive
from transforms.survivorship.rules import shipped_rules

REFERENCE = "ops.reference_value"
SOURCES = ("apollo", "zoominfo", "uplead", "exports")


@dataclass(frozen=True)
class Step:
    """One table: `how` is sql, map, pairs, groups or driver."""

    name: str
    inputs: tuple[str, ...]
    how: str
    make: Make

    @property
    def layer(self) -> str:
        return self.name.split(".")[0]


def _renewing(renewal: Renewal | None, context: Context) -> Renewal | None:
    """An incremental run replaces the stale rows only; a full one makes the table anew."""
    return renewal if context.is_incremental else None


def _sql(name: str, *inputs: str, renewal: Renewal | None = None, instead: Make | None = None) -> Step:
    """A table of one SQL file; `instead` is what a full run does, where all the SQL could say is known."""

    def make(engine: Engine, context: Context) -> None:
        if instead is not None and not context.is_incremental:
            instead(engine, context)
        else:
            engine.sql(name, renewal=_renewing(renewal, context))

    return Step(name, inputs, "sql", make)


def _nothing(name: str, column: str, kind: pa.DataType) -> Make:
    """The table without a row."""
    return lambda engine, _: engine.put(name, pa.schema([(column, kind)]).empty_table())


def _map(
    name: str, source: str, kernel: Kernel, schema: pa.Schema, *, is_heavy: bool = False, renewal: Renewal | None = None
) -> Step:
    def make(engine: Engine, context: Context) -> None:
        engine.map(name, source, kernel, schema, is_heavy=is_heavy, renewal=_renewing(renewal, context))

    return Step(name, (source,) if renewal is None else (source, renewal.stale), "map", make)


def _pairs(name: str, inputs: tuple[str, ...], make: Make) -> Step:
    return Step(name, inputs, "pairs", make)


def _driver(name: str, inputs: tuple[str, ...], make: Make) -> Step:
    return Step(name, inputs, "driver", make)


def _standardising() -> Iterator[Step]:
    for source in SOURCES:
        people, companies = f"raw_{source}.contact", f"raw_{source}.organisation"
        if source == "exports":  # a file has no companies of its own, only employers
            yield _sql(f"standardised.{source}_contact", people)
            yield _sql(f"standardised.{source}_organisation", people)
        else:
            yield _sql(f"standardised.{source}_contact", people, companies)
            yield _sql(f"standardised.{source}_organisation", companies)
    yield _sql("standardised.contact_input", *(f"standardised.{source}_contact" for source in SOURCES))
    yield from _standardised("contact", standardise_contact)
    yield _sql("standardised.organisation_recorded", *(f"standardised.{source}_organisation" for source in SOURCES))
    yield from _organisations()


def _organisations() -> Iterator[Step]:
    yield _sql("standardised.organisation_named", "standardised.contact", "standardised.organisation_recorded")
    yield _sql(
        "standardised.organisation_input", "standardised.organisation_recorded", "standardised.organisation_named"
    )
    yield from _standardised("organisation", standardise_organisation)


def _standardised(entity: str, kernel: Kernel) -> Iterator[Step]:
    """Only what a source says anew goes through the kernel."""
    this = f"standardised.{entity}"
    standard = f"previous.{entity}_standard"
    arriving, stale = f"{this}_arriving", f"{this}_stale"
    # In a full run all arrives and is read once, and nothing that stands is out of date.
    yield _sql(arriving, f"{this}_input", standard, instead=lambda engine, _: engine.view(arriving))
    yield _sql(stale, arriving, f"{this}_input", standard, instead=_nothing(stale, "record_key", pa.string()))
    yield _map(
        this,
        arriving,
        kernel,
        arrow_schema(TABLES[this]),
        is_heavy=True,
        renewal=Renewal(("record_key",), stale, "record_key"),
    )


def _resolving(entity: str) -> Iterator[Step]:
    """Block, compare, weigh, cluster: of changed records and what they touch."""
    this, former, decision = f"resolved.{entity}_", f"previous.{entity}_", f"ops.{entity}_decision"
    standard, crossing, open_key = f"standardised.{entity}", this + "crossing", this + "open_key"
    employer = ("resolved.organisation_cluster",) if entity == "contact" else ()
    of_changed = Renewal(("rid",), this + "changed", "rid")
    of_dirty = Renewal(("l", "r"), this + "dirty", "rid")
    of_reopened = Renewal(("rid",), this + "reopened", "rid")
    changed_inputs = (standard, *employer, former + "feature", decision, former + "decision")

    yield _driver(this + "value", (standard, *employer, REFERENCE), driver.valuing(entity))
    yield _sql(this + "changed", *changed_inputs)
    yield _sql(this + "feature", standard, this + "value", this + "changed", *employer, REFERENCE, renewal=of_changed)
    yield _sql(this + "former_key", former + "key", this + "changed")
    yield _sql(this + "key", this + "feature", this + "changed", renewal=of_changed)
    # A full run compares all records and opens every block anyway.
    yield _sql(
        crossing, this + "key", this + "former_key", this + "changed", instead=_nothing(crossing, "rid", pa.int64())
    )
    yield _sql(this + "dirty", this + "changed", crossing)
    yield _sql(open_key, this + "key", this + "dirty", instead=lambda engine, _: engine.alias(open_key, this + "key"))
    yield _sql(this + "block", open_key)
    yield _sql(this + "block_report", this + "block")
    yield _sql(this + "copy", this + "key", this + "feature", decision)
    yield _driver(this + "sample", (this + "feature", this + "copy"), driver.sampling(entity))
    met = (this + name for name in ("block", "sample", "dirty", "copy", "feature"))
    yield _sql(this + "candidate", *met, decision)
    yield _pairs(this + "pattern", (this + "candidate", this + "feature", this + "value"), driver.comparing(entity))
    yield _sql(this + "pattern_count", this + "pattern", this + "feature", this + "copy")
    yield _driver(this + "weight", (this + "pattern_count", this + "value", this + "feature"), driver.weighing(entity))
    yield _sql(this + "pair", this + "pattern", this + "weight", this + "feature", decision, renewal=of_dirty)
    yield _driver(this + "component", (this + "pair", this + "copy"), driver.componing(entity))
    yield _sql(this + "reopened", this + "dirty", this + "component", former + "cluster")
    yield _sql(this + "inside", this + "component", this + "pair", this + "reopened", this + "feature")
    yield _driver(this + "unmet", (this + "inside",), driver.missing(entity))
    yield Step(this + "group", (this + "inside", this + "unmet"), "groups", driver.refining(entity))
    yield _sql(
        this + "cluster",
        this + "feature",
        this + "group",
        this + "component",
        this + "reopened",
        renewal=of_reopened,
    )
    yield _sql(this + "outcome", this + "pair", this + "feature", this + "cluster")
    yield _driver(this + "estimate", (this + "outcome", this + "cluster"), driver.estimating(entity))


def _identified(entity: str) -> Iterator[Step]:
    """Golden ids, and what happened to them."""
    judged, registry = f"golden.{entity}_judged", f"ops.{entity}_registry"
    of_records = (f"resolved.{entity}_{name}" for name in ("reopened", "changed", "cluster", "feature"))
    yield _sql(judged, *of_records, registry, f"ops.{entity}_golden_id", f"previous.{entity}_identity")
    inputs = (judged, registry, f"ops.{entity}_golden_id", "ops.run_moment")
    yield _driver(f"golden.{entity}_identity", inputs, driver.identifying(entity))
    yield _driver(f"golden.{entity}_lineage", (f"golden.{entity}_identity", *inputs), driver.lineage(entity))


def _golden() -> Iterator[Step]:
    for entity in ENTITIES:
        yield from _identified(entity)
    yield _sql("golden.crosswalk", *(f"golden.{entity}_identity" for entity in ENTITIES))
    yield _sql("golden.lineage", *(f"golden.{entity}_lineage" for entity in ENTITIES))
    for entity in ENTITIES:
        yield from _survived(entity)
    yield _sql("golden.provenance", *(f"golden.{entity}_provenance" for entity in ENTITIES))
    for entity in ENTITIES:
        yield _sql(f"changes.{entity}_change", f"golden.{entity}", f"changes.{entity}_head")


def _survived(entity: str) -> Iterator[Step]:
    """The golden rows that anything touched."""
    this = f"golden.{entity}"
    touched, member, provenance = f"{this}_touched", f"{this}_member", f"{this}_provenance"
    of_touched = Renewal(("golden_id",), touched, "golden_id")
    identities = [f"{this}_identity"]
    employer = ["standardised.contact", "golden.organisation_judged"] if entity == "contact" else []
    if entity == "contact":
        identities.append("golden.organisation_identity")
    yield _sql(touched, f"{this}_judged", *identities, *employer, "ops.lock", "previous.lock")
    yield _sql(member, f"standardised.{entity}", *identities, touched, "ops.lock")

    def survived(engine: Engine, context: Context) -> None:
        kernel = partial(survive, entity=entity, rules=context.rules or shipped_rules())
        renewal = _renewing(of_touched, context)
        engine.map_groups(provenance, member, "golden_id", kernel, PROVENANCE_SCHEMA, renewal=renewal)

    yield Step(provenance, (member, touched), "groups", survived)
    yield _sql(this, provenance, member, touched, f"changes.{entity}_head", "ops.run_moment", renewal=of_touched)


def _named(steps: Iterable[Step]) -> dict[str, Step]:
    return {step.name: step for step in steps}


# Organisations are resolved before contacts: a contact's golden organisation is evidence.
STEPS: dict[str, Step] = _named([*_standardising(), *_resolving("organisation"), *_resolving("contact"), *_golden()])
ORGANISATION_STEPS = _named([*_organisations()])
_KERNELS = {"organisation": standardise_organisation, "contact": standardise_contact}
STANDARDISE_STEPS = {entity: _named(_standardised(entity, _KERNELS[entity])) for entity in ENTITIES}
# `resolve FILE` needs ids, but tells nobody what happened to them.
RESOLVE_STEPS = {entity: _named([*_resolving(entity), *islice(_identified(entity), 2)]) for entity in ENTITIES}
# What `prepare` puts there; everything else in STEPS has a step of its own or is a raw table.
PREPARED = (
    "ops.run_moment",
    "ops.lock",
    "previous.lock",
    REFERENCE,
    *(name for entity in ENTITIES for name in (f"ops.{entity}_registry", f"ops.{entity}_golden_id")),
    *(f"changes.{entity}_head" for entity in ENTITIES),
    *(f"ops.{entity}_decision" for entity in ENTITIES),
    *(f"previous.{entity}_{name}" for entity in ENTITIES for name in (*PREVIOUS, "decision")),
)


def prepare(engine: Engine, context: Context) -> None:
    """Put what the ledger knows, and an empty raw table for every source that has none.

    `context.is_incremental` is a wish; it is taken back where the tables cannot be built upon.
    """
    context.is_incremental = context.is_incremental and standing.may_build_on(engine, context)
    standing.unmark(engine)
    for source in SOURCES:
        for entity in ENTITIES:
            if not engine.has(f"raw_{source}.{entity}"):
                engine.put(f"raw_{source}.{entity}", RAW_SCHEMA.empty_table())
    for entity in ENTITIES:
        _prepare_previous(engine, context, entity)
    engine.put(
        "ops.run_moment",
        pa.table(
            {
                "run_at": pa.array([naive(context.run_at)], MOMENT),
                "is_incremental": [context.is_incremental],
                "is_training": [any(entity not in context.models for entity in ENTITIES)],
            }
        ),
    )
    engine.put(REFERENCE, references.value_table())
    engine.put("previous.lock", engine.fetch("ops.lock") if context.is_incremental else locks.LOCK_SCHEMA.empty_table())
    engine.put("ops.lock", locks.checked(_shaped(context.locks, locks.LOCK_SCHEMA)))
    for entity in ENTITIES:
        engine.put(f"ops.{entity}_registry", _shaped(context.registry.get(entity), REGISTRY_SCHEMA))
        engine.put(f"ops.{entity}_golden_id", _shaped(context.ids.get(entity), IDS_SCHEMA))
        engine.put(f"changes.{entity}_head", _shaped(context.heads.get(entity), HEAD_SCHEMA))


def _prepare_previous(engine: Engine, context: Context, entity: str) -> None:
    """What the last run left, under names of its own; empty where this run starts from nothing."""
    decisions = _shaped(context.decisions.get(entity), DECISION_SCHEMA)
    former = engine.fetch(f"ops.{entity}_decision") if context.is_incremental else DECISION_SCHEMA.empty_table()
    engine.put(f"previous.{entity}_decision", former)
    engine.put(f"ops.{entity}_decision", decisions)
    for name, (table, schema) in PREVIOUS.items():
        if context.is_incremental and engine.has(table.format(entity)):
            engine.alias(f"previous.{entity}_{name}", table.format(entity))
        else:
            engine.put(f"previous.{entity}_{name}", schema.empty_table())


def build(engine: Engine, name: str, context: Context) -> None:
    """Make one table; its inputs must be there."""
    started = time.perf_counter()
    STEPS[name].make(engine, context)
    context.seconds[name] = time.perf_counter() - started


def _shaped(table: pa.Table | None, schema: pa.Schema) -> pa.Table:
    return schema.empty_table() if table is None else table.select(schema.names).cast(schema)
