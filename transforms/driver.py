"""The steps that the driver takes itself, because they need the whole of something small.

Belongs here: the sample, weighing, components, identity and lineage, each from tables to a table. Does not: the order
of steps (pipeline.py), the mathematics (model.py, clusters.py, identity.py).
Surprise: the random sample of pairs is fixed by the number of records alone, so a run can be repeated to the last bit.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms import clusters, identity, unmet
from transforms.context import IDENTITY_SCHEMA, LINEAGE_SCHEMA, Context, naive
from transforms.engines.port import Engine, Renewal
from transforms.kernels.patterns import COMMON_SCHEMA, COMPARED, PATTERN_SCHEMA, RAREST, Common, Patterns
from transforms.kernels.refine import GROUP_SCHEMA, refine
from transforms.model import train

SAMPLE_PAIRS = 150_000
SAMPLE_SEED = 20261123  # any fixed number

ESTIMATE_SCHEMA = pa.schema(
    [("measure", pa.string()), ("value", pa.float64()), ("low", pa.float64()), ("high", pa.float64())]
)
NOT_RARE = f"(bucket < {RAREST} or initials > 1 or is_generic)"  # every other value is like one never seen

Make = Callable[[Engine, Context], None]


def sampling(entity: str) -> Make:
    """Random pairs; none where the model is given, for then chance agreement is known."""

    def make(engine: Engine, context: Context) -> None:
        rids = np.zeros(0, np.int64)
        if entity not in context.models:
            # That copies agree is no chance.
            distinct = f"resolved.{entity}_feature where rid not in (select rid from resolved.{entity}_copy)"
            rids = np.sort(engine.fetch(distinct, ("rid",))["rid"].to_numpy())
        places = sample_pairs(len(rids))
        engine.put(
            f"resolved.{entity}_sample",
            pa.table({name: rids[places[name].to_numpy()] for name in ("l", "r")}),
        )

    return make


def sample_pairs(records: int, *, wanted: int = SAMPLE_PAIRS) -> pa.Table:
    """Distinct pairs l < r of 0 … records - 1: all of them where they are few, else a fixed random choice."""
    if records * (records - 1) // 2 <= wanted:
        left, right = np.triu_indices(records, 1)
    else:
        dice = np.random.Generator(np.random.PCG64(SAMPLE_SEED))
        one, two = dice.integers(0, records, wanted), dice.integers(0, records, wanted)
        code = np.unique(np.minimum(one, two) * records + np.maximum(one, two))
        left, right = code // records, code % records
        left, right = left[left != right], right[left != right]
    return pa.table({"l": left.astype(np.int64), "r": right.astype(np.int64)})


def valuing(entity: str) -> Make:
    """How common values are: counted where a model is to be trained, afterwards as the model learned it."""

    def make(engine: Engine, context: Context) -> None:
        name = f"resolved.{entity}_value"
        if entity in context.models:
            engine.put(name, context.models[entity].value_table())
        else:
            engine.sql(name)

    return make


def comparing(entity: str) -> Make:
    """Patterns of all candidate pairs; of the values only those that are not rare go to the kernel."""

    def make(engine: Engine, _: Context) -> None:
        this = f"resolved.{entity}_"
        common = engine.fetch(f"{this}value where {NOT_RARE}", COMMON_SCHEMA.names)
        kernel = Patterns(entity, Common(common.cast(COMMON_SCHEMA)))
        columns = ("rid", *COMPARED[entity])
        engine.map_pairs(this + "pattern", this + "candidate", this + "feature", columns, kernel, PATTERN_SCHEMA)

    return make


def weighing(entity: str) -> Make:
    def make(engine: Engine, context: Context) -> None:
        counts = engine.fetch(f"resolved.{entity}_pattern_count").sort_by(
            [(name, "ascending") for name in ("is_sample", "pattern", "source_low", "source_high")]
        )
        if entity not in context.models:
            values = engine.fetch(f"resolved.{entity}_value", ("field", "records", "bucket", "is_generic"))
            values = values.sort_by([(name, "ascending") for name in values.column_names])
            records = engine.count(f"resolved.{entity}_feature")
            trained = train(entity, records=records, counts=counts, values=values)
            common = engine.fetch(f"resolved.{entity}_value where {NOT_RARE}")
            context.models[entity] = trained.with_values(common)
        met = counts.filter(pc.invert(counts["is_sample"]))
        seen = met.select(["pattern", "source_low", "source_high"]).sort_by(
            [("pattern", "ascending"), ("source_low", "ascending"), ("source_high", "ascending")]
        )
        engine.put(f"resolved.{entity}_weight", context.models[entity].weigh(seen))

    return make


def componing(entity: str) -> Make:
    def make(engine: Engine, _: Context) -> None:
        pair = engine.fetch(f"resolved.{entity}_pair where weight > 0", ("l", "r", "weight"))
        left, right, weight = (pair[name].to_numpy() for name in ("l", "r", "weight"))
        copies = engine.fetch(f"resolved.{entity}_copy where not is_decided", clusters.COPY_SCHEMA.names)
        engine.put(f"resolved.{entity}_component", clusters.components(left, right, weight, copies))

    return make


def missing(entity: str) -> Make:
    """What it says never to have met: learned once, from the first clustering under a new model."""

    def make(engine: Engine, context: Context) -> None:
        model = context.models[entity]
        if model.never_met_milli is None:
            inside = engine.fetch(f"resolved.{entity}_inside", ("l", "r", "weight"))
            ends = np.concatenate([inside["l"].to_numpy(), inside["r"].to_numpy()])
            place = np.unique(ends, return_inverse=True)[1]
            half = len(place) // 2
            closed, asked = unmet.wedges(place[:half], place[half:], inside["weight"].to_numpy())
            learned = {
                "never_met_milli": unmet.never_met_milli(closed, asked),
                "met_share": unmet.met_share(closed, asked),
            }
            model = context.models[entity] = model.model_copy(update=learned)
        engine.put(
            f"resolved.{entity}_unmet",
            pa.table({"never_met_milli": [model.never_met_milli], "met_share": [model.met_share]}),
        )

    return make


def refining(entity: str) -> Make:
    """Clusters inside each reopened component."""

    def make(engine: Engine, context: Context) -> None:
        this = f"resolved.{entity}_"
        never_met = engine.fetch(this + "unmet")["never_met_milli"][0].as_py()
        kernel = partial(refine, never_met=never_met, model=context.models[entity])
        engine.map_groups(this + "group", this + "inside", "component", kernel, GROUP_SCHEMA)

    return make


def estimating(entity: str) -> Make:
    """How right the clusters should be, without a label: precision and recall with their intervals."""

    def make(engine: Engine, context: Context) -> None:
        model = context.models[entity]
        outcome = engine.fetch(f"resolved.{entity}_outcome").sort_by(
            [(name, "ascending") for name in ("pattern", "source_low", "source_high")]
        )
        sizes = pc.value_counts(engine.fetch(f"resolved.{entity}_cluster", ("cluster_key",))["cluster_key"])
        size = sizes.field("counts").to_numpy()
        pairs, inside = (outcome[name].to_numpy().astype(np.float64) for name in ("pairs", "inside"))
        found = model.calibration.estimate(
            model.odds_milli(outcome),
            pairs,
            inside,
            unmet_inside=float((size * (size - 1) // 2).sum() - inside.sum()),
            met_share=model.met_share,
        )
        rows = [{"measure": name, **share.model_dump()} for name, share in sorted(found.items())]
        engine.put(f"resolved.{entity}_estimate", pa.Table.from_pylist(rows, schema=ESTIMATE_SCHEMA))

    return make


def _known(engine: Engine, entity: str) -> identity.Known:
    """The registry, as far as the judged records and the ids they ever had are concerned."""
    judged = f"golden.{entity}_judged"
    concerned = f"ops.{entity}_registry where record_key in (select record_key from {judged})"
    registry = engine.fetch(f"ops.{entity}_registry where golden_id in (select golden_id from {concerned})")
    ids = engine.fetch(f"ops.{entity}_golden_id")
    member_of = dict(zip(registry["record_key"].to_pylist(), registry["golden_id"].to_pylist(), strict=True))
    age_of = dict(zip(registry["golden_id"].to_pylist(), registry["first_seq"].to_pylist(), strict=True))
    age_of |= dict(zip(ids["golden_id"].to_pylist(), ids["first_seq"].to_pylist(), strict=True))
    live = {
        name for name, is_live in zip(ids["golden_id"].to_pylist(), ids["is_live"].to_pylist(), strict=True) if is_live
    }
    absent = {
        key
        for key, is_present in zip(registry["record_key"].to_pylist(), registry["is_present"].to_pylist(), strict=True)
        if is_present is False
    }
    return identity.Known(member_of, age_of, frozenset(live if ids.num_rows else set(age_of)), frozenset(absent))


def identifying(entity: str) -> Make:
    """Golden ids of the judged records, and since when they have them."""

    def make(engine: Engine, context: Context) -> None:
        judged = f"golden.{entity}_judged"
        rows = engine.fetch(f"{judged} where cluster_key is not null")
        known = _known(engine, entity)
        golden_of = identity.identify(
            entity, dict(zip(rows["record_key"].to_pylist(), rows["cluster_key"].to_pylist(), strict=True)), known
        )
        registry = engine.fetch(f"ops.{entity}_registry where record_key in (select record_key from {judged})")
        since_of = dict(zip(registry["record_key"].to_pylist(), registry["since"].to_pylist(), strict=True))
        now, member_of = naive(context.run_at), known.member_of
        keys = list(golden_of)
        golden = list(golden_of.values())
        since = (
            [
                (since_of[key] or now) if member_of.get(key) == name else now
                for key, name in zip(keys, golden, strict=True)
            ]
            if member_of
            else [now] * len(keys)
        )
        engine.put(
            f"golden.{entity}_identity",
            pa.table([keys, golden, since], schema=IDENTITY_SCHEMA),
            renewal=Renewal(("record_key",), judged, "record_key") if context.is_incremental else None,
        )

    return make


def lineage(entity: str) -> Make:
    """What happened to the ids that the judged records had or have."""

    def make(engine: Engine, context: Context) -> None:
        borne = engine.fetch(
            f"golden.{entity}_identity where record_key in (select record_key from golden.{entity}_judged)"
        )
        golden_of = dict(zip(borne["record_key"].to_pylist(), borne["golden_id"].to_pylist(), strict=True))
        events = identity.events_of(golden_of, _known(engine, entity))
        columns = [list(column) for column in zip(*events, strict=True)] if events else [[], [], []]
        engine.put(
            f"golden.{entity}_lineage",
            pa.table([*columns, [naive(context.run_at)] * len(events)], schema=LINEAGE_SCHEMA),
        )

    return make
