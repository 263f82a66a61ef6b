"""The one definition of the pipeline: which table is made from which, and how.

Belongs here: the ordered steps, the context that a run brings, building them on any engine. Does not: SQL (sql/),
kernels (kernels/), engines (engines/), anything of Dagster (assets/ makes one asset of each step).
Surprise: inputs that come from outside (raw tables, registry, heads) are put by `prepare`, so that every step is a pure
function of tables and `Context` is read by nobody but `prepare` and the two training steps.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import pyarrow as pa

from transforms import driver
from transforms.context import HEAD_SCHEMA, IDS_SCHEMA, MOMENT, RAW_SCHEMA, REGISTRY_SCHEMA, Context, naive
from transforms.contracts import ENTITIES, TABLES
from transforms.driver import Make
from transforms.engines.port import Engine, Kernel
from transforms.kernels.compare import LIKENESS_SCHEMA, compare_values
from transforms.kernels.refine import GROUP_SCHEMA, refine
from transforms.kernels.standardise import arrow_schema, standardise_contact, standardise_organisation
from transforms.survivorship import PROVENANCE_SCHEMA, survive_contact, survive_organisation

SOURCES = ("apollo", "zoominfo", "uplead", "exports")


@dataclass(frozen=True)
class Step:
    """One table: `how` is sql, map, groups or driver."""

    name: str
    inputs: tuple[str, ...]
    how: str
    make: Make

    @property
    def layer(self) -> str:
        return self.name.split(".")[0]


def _sql(name: str, *inputs: str) -> Step:
    return Step(name, inputs, "sql", lambda engine, _: engine.sql(name))


def _map(name: str, source: str, kernel: Kernel, schema: pa.Schema, *, is_heavy: bool = False) -> Step:
    def make(engine: Engine, _: Context) -> None:
        engine.map(name, source, kernel, schema, is_heavy=is_heavy)

    return Step(name, (source,), "map", make)


def _groups(name: str, source: str, group: str, kernel: Kernel, schema: pa.Schema) -> Step:
    def make(engine: Engine, _: Context) -> None:
        engine.map_groups(name, source, group, kernel, schema)

    return Step(name, (source,), "groups", make)


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
    yield _map(
        "standardised.contact",
        "standardised.contact_input",
        standardise_contact,
        arrow_schema(TABLES["standardised.contact"]),
        is_heavy=True,
    )
    yield _sql("standardised.organisation_recorded", *(f"standardised.{source}_organisation" for source in SOURCES))
    yield from _organisations()


def _organisations() -> Iterator[Step]:
    yield _sql("standardised.organisation_named", "standardised.contact", "standardised.organisation_recorded")
    yield _sql(
        "standardised.organisation_input", "standardised.organisation_recorded", "standardised.organisation_named"
    )
    yield _map(
        "standardised.organisation",
        "standardised.organisation_input",
        standardise_organisation,
        arrow_schema(TABLES["standardised.organisation"]),
        is_heavy=True,
    )


def _resolving(entity: str) -> Iterator[Step]:
    """Block, compare, weigh, cluster."""
    this = f"resolved.{entity}_"
    employer = ("resolved.organisation_cluster",) if entity == "contact" else ()
    yield _sql(this + "value", f"standardised.{entity}", *employer)
    yield _sql(this + "feature", f"standardised.{entity}", this + "value", *employer)
    yield _sql(this + "key", this + "feature", f"standardised.{entity}")
    yield _sql(this + "block", this + "key")
    yield _sql(this + "block_report", this + "key")
    yield _driver(this + "sample", (this + "feature",), driver.sampling(entity))
    yield _sql(this + "candidate", this + "block", this + "sample")
    yield _sql(this + "value_pair", this + "candidate", this + "feature", this + "value")
    yield _map(this + "likeness", this + "value_pair", compare_values, LIKENESS_SCHEMA)
    yield _sql(this + "pattern", this + "candidate", this + "feature", this + "likeness")
    yield _sql(this + "pattern_count", this + "pattern", this + "feature")
    yield _driver(this + "weight", (this + "pattern_count", this + "value", this + "feature"), driver.weighing(entity))
    yield _sql(this + "pair", this + "pattern", this + "weight", this + "feature")
    yield _driver(this + "component", (this + "pair",), driver.componing(entity))
    yield _sql(this + "inside", this + "component", this + "pair")
    yield _groups(this + "group", this + "inside", "component", refine, GROUP_SCHEMA)
    yield _sql(this + "cluster", this + "feature", this + "group")


def _golden() -> Iterator[Step]:
    for entity in ENTITIES:
        inputs = (f"resolved.{entity}_cluster", f"ops.{entity}_registry", f"ops.{entity}_golden_id", "ops.run_moment")
        yield _driver(f"golden.{entity}_identity", inputs, driver.identifying(entity))
        yield _driver(f"golden.{entity}_lineage", (f"golden.{entity}_identity", *inputs), driver.lineage(entity))
    yield _sql("golden.crosswalk", *(f"golden.{entity}_identity" for entity in ENTITIES))
    yield _sql("golden.lineage", *(f"golden.{entity}_lineage" for entity in ENTITIES))
    for entity, kernel in (("organisation", survive_organisation), ("contact", survive_contact)):
        member, provenance = f"golden.{entity}_member", f"golden.{entity}_provenance"
        yield _sql(member, f"standardised.{entity}", "golden.crosswalk")
        yield _groups(provenance, member, "golden_id", kernel, PROVENANCE_SCHEMA)
        yield _sql(f"golden.{entity}", provenance, member, f"changes.{entity}_head", "ops.run_moment")
    yield _sql("golden.provenance", *(f"golden.{entity}_provenance" for entity in ENTITIES))
    for entity in ENTITIES:
        yield _sql(f"changes.{entity}_change", f"golden.{entity}", f"changes.{entity}_head")


def _named(steps: Iterable[Step]) -> dict[str, Step]:
    return {step.name: step for step in steps}


# Organisations are resolved before contacts: a contact's golden organisation is evidence.
STEPS: dict[str, Step] = _named([*_standardising(), *_resolving("organisation"), *_resolving("contact"), *_golden()])
ORGANISATION_STEPS = _named([*_organisations()])
RESOLVE_STEPS = {entity: _named(_resolving(entity)) for entity in ENTITIES}
# What `prepare` puts there; everything else in STEPS has a step of its own or is a raw table.
PREPARED = (
    "ops.run_moment",
    *(name for entity in ENTITIES for name in (f"ops.{entity}_registry", f"ops.{entity}_golden_id")),
    *(f"changes.{entity}_head" for entity in ENTITIES),
)


def prepare(engine: Engine, context: Context) -> None:
    """Put what the ledger knows, and an empty raw table for every source that has none."""
    for source in SOURCES:
        for entity in ENTITIES:
            if not engine.has(f"raw_{source}.{entity}"):
                engine.put(f"raw_{source}.{entity}", RAW_SCHEMA.empty_table())
    engine.put("ops.run_moment", pa.table({"run_at": pa.array([naive(context.run_at)], MOMENT)}))
    for entity in ENTITIES:
        engine.put(f"ops.{entity}_registry", _shaped(context.registry.get(entity), REGISTRY_SCHEMA))
        engine.put(f"ops.{entity}_golden_id", _shaped(context.ids.get(entity), IDS_SCHEMA))
        engine.put(f"changes.{entity}_head", _shaped(context.heads.get(entity), HEAD_SCHEMA))


def build(engine: Engine, name: str, context: Context) -> None:
    """Make one table; its inputs must be there."""
    started = time.perf_counter()
    STEPS[name].make(engine, context)
    context.seconds[name] = time.perf_counter() - started


def build_all(engine: Engine, context: Context, *, until: str | None = None) -> None:
    """Make every table in order, `until` included."""
    prepare(engine, context)
    for name in STEPS:
        build(engine, name, context)
        if name == until:
            return


def _shaped(table: pa.Table | None, schema: pa.Schema) -> pa.Table:
    return schema.empty_table() if table is None else table.select(schema.names).cast(schema)
