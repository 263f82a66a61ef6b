"""An explanation adds up, its deciding evidence decides, and stored decisions are replayed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import combinations
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sources.world.world import World
from transforms import pipeline
from transforms.context import DECISION_SCHEMA, Context
from transforms.contracts import ENTITIES, TABLES
from transforms.engines.duckdb import DuckDBEngine
from transforms.explain import deciding_terms, explain
from transforms.explain_clusters import cluster_story
from transforms.explain_pairs import PairStory, pair_story
from transforms.explain_records import POINTS_NEEDED, Evidence, replays
from transforms.explain_words import of_level, of_term
from transforms.features import BITS, FEATURES
from transforms.kernels.standardise import arrow_schema
from transforms.model import MILLI, Model

GIVEN = ("standardised.contact_input", "standardised.organisation_recorded")
BORDERLINE = 1000
RUN_AT = datetime(2026, 1, 1, tzinfo=UTC)
Pair = tuple[int, str, str, int]  # pattern, smaller and larger source, stored weight


@dataclass
class Ran:
    engine: DuckDBEngine
    models: dict[str, Model]

    def evidence(self, entity: str) -> Evidence:
        return Evidence(self.engine, entity, self.models[entity])

    def pairs(self, entity: str) -> list[Pair]:
        """Every stored pair, those nearest to the cut first."""
        rows = self.engine.connection.execute(
            f"""select pair.pattern, least(a.source, b.source), greatest(a.source, b.source), pair.weight
            from resolved.{entity}_pair as pair
            inner join resolved.{entity}_feature as a on pair.l = a.rid
            inner join resolved.{entity}_feature as b on pair.r = b.rid
            order by abs(pair.weight), pair.l, pair.r"""
        )
        return rows.fetchall()

    def one(self, sql: str) -> tuple[object, ...]:
        row = self.engine.connection.execute(sql).fetchone()
        assert row is not None
        return row


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, pa.Table]:
    root: Path = tmp_path_factory.mktemp("world")
    World.generate(900, 5).write_raw(root)
    return {entity: _given(root / f"{entity}.parquet", entity) for entity in ENTITIES}


def _given(path: Path, entity: str) -> pa.Table:
    """A file of the world (record_id is source:id) as the input contract."""
    table = pq.read_table(path)
    known = {"record_key": table["record_id"], "source_id": table["record_id"]}
    columns = {**{name: table[name] for name in table.column_names}, **known}
    schema = arrow_schema(TABLES[f"standardised.{entity}_input"])
    return pa.table([columns.get(field.name, pa.nulls(len(table), field.type)) for field in schema], schema=schema)


def _run(inputs: dict[str, pa.Table], context: Context) -> Ran:
    engine = DuckDBEngine()
    pipeline.prepare(engine, context)
    for name, entity in zip(GIVEN, ("contact", "organisation"), strict=True):
        engine.put(name, inputs[entity])
    for name, step in pipeline.STEPS.items():
        of_vendor = step.layer == "standardised" and name.split(".")[1].split("_")[0] in pipeline.SOURCES
        if name not in GIVEN and not of_vendor:
            pipeline.build(engine, name, context)
    return Ran(engine, context.models)


@pytest.fixture(scope="module")
def ran(inputs: dict[str, pa.Table]) -> Ran:
    return _run(inputs, Context(run_at=RUN_AT))


def _asked_again(model: Model, pair: Pair, removed: tuple[str, ...]) -> int:
    """The weight as if the removed fields had never been told, said without the code under test."""
    pattern, low, high, _ = pair
    for place, feature in enumerate(FEATURES[model.entity]):
        if feature.name in removed:
            pattern &= ~(0b1111 << BITS * place)
    terms = model.terms(np.array([pattern], dtype=np.int64), [low], [high])
    return sum(int(milli[0]) for name, milli in terms.items() if name not in removed)


@pytest.mark.parametrize("entity", ENTITIES)
def test_contributions_sum_to_the_stored_score_of_every_pair(entity: str, ran: Ran) -> None:
    for pattern, low, high, weight in ran.pairs(entity):
        found = explain(ran.models[entity], pattern, low, high)

        assert sum(term.milli for term in found.terms) == weight
        assert abs(sum(term.bits for term in found.terms) - weight / MILLI) <= 1e-9


def test_removing_the_deciding_evidence_flips_a_thousand_borderline_pairs(ran: Ran) -> None:
    """Both ways of removing it: its contributions struck from the sum, and the model asked without those facts."""
    pairs = [(entity, pair) for entity in ENTITIES for pair in ran.pairs(entity)]
    pairs = sorted(pairs, key=lambda one: abs(one[1][3]))[:BORDERLINE]
    kept = []

    for entity, pair in pairs:
        model, is_same = ran.models[entity], pair[3] > 0
        found = explain(model, *pair[:3])
        struck = sum(term.bits for term in found.terms if term.name not in found.deciding)
        if not found.deciding or (struck > 0) is is_same or (_asked_again(model, pair, found.deciding) > 0) is is_same:
            kept.append((entity, pair, found.deciding))

    assert len(pairs) == BORDERLINE
    assert {pair[3] > 0 for _, pair in pairs} == {True, False}
    assert kept == []


def test_no_smaller_set_of_fields_decides(ran: Ran) -> None:
    """Against plain search over all sets of fields, one size down."""
    for entity in ENTITIES:
        model, names = ran.models[entity], [feature.name for feature in FEATURES[entity]]
        for pair in ran.pairs(entity)[:40]:
            deciding = deciding_terms(model, *pair[:3])
            milli = {name: int(values[0]) for name, values in _terms(model, pair).items()}
            for fewer in combinations([name for name in names if milli[name]], len(deciding) - 1):
                if any((milli[name] > 0) != (pair[3] > 0) for name in fewer):
                    continue  # it does not speak for the decision
                is_struck = (pair[3] - sum(milli[name] for name in fewer) > 0) != (pair[3] > 0)
                assert not (is_struck and (_asked_again(model, pair, fewer) > 0) != (pair[3] > 0)), (pair, fewer)


def _terms(model: Model, pair: Pair) -> dict[str, np.ndarray]:
    return model.terms(np.array([pair[0]], dtype=np.int64), [pair[1]], [pair[2]])


def test_where_nothing_was_said_nothing_decides_but_the_prior(ran: Ran) -> None:
    model = ran.models["contact"]

    found = explain(model, 0, "no such source", "no such source")

    assert not found.is_same
    assert set(found.deciding) <= {"prior", "alternatives", "calibration"}
    assert all(term.words.startswith("no ") for term in found.terms if term.level)


def test_a_decision_outweighs_and_stays_apart_from_the_evidence(ran: Ran) -> None:
    pattern, low, high, weight = ran.pairs("contact")[0]

    found = explain(ran.models["contact"], pattern, low, high, decision=weight <= 0)

    assert found.is_same is (weight <= 0)
    assert found.milli == weight
    assert found.deciding == ()


@pytest.mark.parametrize("entity", ENTITIES)
def test_every_level_has_words_of_its_own(entity: str) -> None:
    for feature in FEATURES[entity]:
        words = [of_level(feature.name, level.name) for level in feature.levels]
        assert len(set(words)) == len(words), feature.name
        assert not any(text.startswith(f"{feature.name}: ") for text in words), words


def test_words_for_what_a_person_at_a_helpdesk_asks() -> None:
    assert of_level("last", "same (rare)") == "same rare surname"
    assert of_level("first", "different") == "different first names"
    assert of_level("shoe_size", "about equal") == "shoe size: about equal"
    assert of_term("weather", "contact") == "weather"


@pytest.mark.parametrize("entity", ENTITIES)
def test_a_live_comparison_gives_the_stored_pattern(entity: str, ran: Ran) -> None:
    evidence = ran.evidence(entity)
    rows = ran.engine.connection.execute(
        f"select record_key_l, record_key_r, pattern from resolved.{entity}_pair order by l, r limit 60"
    ).fetchall()

    found = [evidence.pattern(evidence.find(left)[0], evidence.find(right)[0]) for left, right, _ in rows]

    assert found == [pattern for _, _, pattern in rows]


def test_shared_keys_say_which_pairs_met(inputs: dict[str, pa.Table], ran: Ran) -> None:
    """The rules of blocking are said twice, in SQL and for why-not; they must agree, in blocks of every size."""
    crowded = _run({**inputs, "contact": _crowded(inputs["contact"])}, Context(run_at=RUN_AT, models=dict(ran.models)))
    evidence = crowded.evidence("contact")
    met = {
        (edge.l, edge.r)
        for edge in evidence.edges(crowded.engine.fetch("resolved.contact_feature", ("rid",))["rid"].to_pylist())
    }
    sharing = crowded.engine.connection.execute(
        """select a.rid, b.rid from resolved.contact_key as a inner join resolved.contact_key as b using (rule, key)
        where a.rid < b.rid group by a.rid, b.rid order by (a.rid + b.rid) % 9973, a.rid, b.rid limit 200"""
    ).fetchall()

    keys = {pair: evidence.shared_keys(*_both(evidence, pair)) for pair in sharing}

    told = {pair for pair, shared in keys.items() if sum(key.points for key in shared) >= POINTS_NEEDED}
    assert told == met & set(sharing)
    assert {key.points for shared in keys.values() for key in shared} == {0, 1, 2, 4}
    assert told not in (set(), set(sharing))


def _crowded(table: pa.Table) -> pa.Table:
    """Surnames and a city that 20, 40 and 200 records share, so that blocks are middling, large, split and skipped."""
    crowd = ["Alder"] * 20 + ["Birch"] * 40 + ["Cedar"] * 200
    for name, values in (("last_name", crowd), ("city", ["Leeds"] * len(crowd)), ("full_name", [None] * len(crowd))):
        said = [*values, *table[name].to_pylist()[len(crowd) :]]
        table = table.set_column(table.column_names.index(name), name, pa.array(said, pa.string()))
    return table


def _both(evidence: Evidence, pair: tuple[int, int]) -> Iterator:
    found = evidence.of(pair)
    return (found[rid] for rid in pair)


def test_two_that_never_met_are_compared_live_and_told_why(ran: Ran) -> None:
    left, right = ran.one(
        """select a.record_key, b.record_key from resolved.contact_feature as a, resolved.contact_feature as b
        where a.last = b.last and a.first != b.first and a.rid < b.rid and not exists
        (select 1 from resolved.contact_pair as pair where pair.l = a.rid and pair.r = b.rid)
        order by a.rid, b.rid limit 1"""
    )
    evidence = ran.evidence("contact")

    story = pair_story(evidence, evidence.find(str(left))[0], evidence.find(str(right))[0])

    assert not story.is_compared
    assert not story.is_joined
    assert any(text.startswith("No run compared them: ") for text in story.why)
    assert any(text.endswith(" surname") and text.startswith("same ") for text in _words(story))


def _words(story: PairStory) -> list[str]:
    return [term.words for term in story.explanation.terms]


def test_a_switchboard_is_named_as_generic(ran: Ran) -> None:
    """Two people who share a number that many have: seen, named, and no evidence."""
    evidence = ran.evidence("contact")
    generic = [value for value, known in evidence.model.values["phone"].items() if known[2]]
    left, right = ran.one(
        f"""select min(record_key), max(record_key) from standardised.contact
        where phone = '{generic[0]}' and mobile is null"""
    )

    told = evidence.told(evidence.find(str(left))[0], evidence.find(str(right))[0])

    assert told["phone"].note == f"same switchboard {generic[0]}: learned as generic, no evidence"


def test_a_golden_record_tells_what_holds_it_and_what_stays_out(ran: Ran) -> None:
    evidence = ran.evidence("contact")
    (golden_id,) = ran.one(
        """select golden_id from golden.contact_identity group by golden_id
        having count(*) >= 3 order by count(*) desc, golden_id limit 1"""
    )
    rids = {record.rid for record in evidence.members(str(golden_id))}

    story = cluster_story(evidence, str(golden_id))

    assert story is not None
    assert {member.record.rid for member in story.members} == rids
    assert len(story.holding) == len(rids) - 1
    assert {rid for edge in story.holding for rid in (edge.l, edge.r)} == rids
    assert {(cell["field"], cell["value"]) for cell in story.cells} == {
        (row["field"], row["value"])
        for row in ran.engine.fetch(f"golden.provenance where golden_id = '{golden_id}'").to_pylist()
    }
    assert cluster_story(evidence, "con_nobody") is None


def test_a_positive_pair_that_was_cut_names_what_outvoted_it(ran: Ran) -> None:
    """Two groups stay apart where the mean is not above 0, or what all their pairs tell together; the story says it."""
    entity = max(ENTITIES, key=lambda name: len(_cut(ran, name)))
    evidence, cut = ran.evidence(entity), _cut(ran, entity)

    for left, right in cut:
        story = pair_story(evidence, evidence.find(left)[0], evidence.find(right)[0])
        ours, theirs = (evidence.members(record.golden_id) for record in (story.left, story.right))
        met = {(edge.l, edge.r): edge for edge in evidence.edges([one.rid for one in (*ours, *theirs)])}
        crossing = [met.get((min(a.rid, b.rid), max(a.rid, b.rid))) for a in ours for b in theirs]
        mean = sum(edge.milli if edge else evidence.never_met_milli for edge in crossing) / len(crossing)
        if mean <= 0:
            assert (
                f"over all {len(crossing)} pairs between the two the mean is {mean / MILLI:+.1f} bits" in story.why[-1]
            )
        else:
            told = [edge for edge in crossing if edge]
            said = f"what all {len(told)} compared pairs between the two tell, each fact once, is "
            assert said in story.why[-1]
            assert float(story.why[-1].split(said)[1].split(" bits")[0]) <= 0

    assert cut


def _cut(ran: Ran, entity: str) -> list[tuple[str, str]]:
    return ran.engine.connection.execute(
        f"""select record_key_l, record_key_r from resolved.{entity}_pair as pair
        inner join golden.{entity}_identity as a on pair.record_key_l = a.record_key
        inner join golden.{entity}_identity as b on pair.record_key_r = b.record_key
        where pair.weight > 0 and a.golden_id != b.golden_id order by pair.weight desc, pair.l, pair.r limit 5"""
    ).fetchall()


def test_decisions_are_named_on_both_sides(inputs: dict[str, pa.Table], ran: Ran) -> None:
    """A no between two that the evidence joins, a yes between two it does not: stored, replayed, told."""
    no = ran.one("select record_key_l, record_key_r from resolved.contact_pair order by weight desc, l, r limit 1")
    yes = ran.one("select record_key_l, record_key_r from resolved.contact_pair order by weight, l, r limit 1")
    rows = [{"record_key_l": one[0], "record_key_r": one[1], "is_same": one is yes} for one in (no, yes)]
    context = Context(run_at=RUN_AT, models=dict(ran.models))
    context.decisions = {"contact": pa.Table.from_pylist(rows, schema=DECISION_SCHEMA)}
    decided = _run(inputs, context)
    evidence = decided.evidence("contact")

    apart, together = (pair_story(evidence, *(evidence.find(str(key))[0] for key in one)) for one in (no, yes))
    cluster = cluster_story(evidence, apart.left.golden_id)

    assert (apart.is_joined, together.is_joined) == (False, True)
    assert apart.is_replayed
    assert together.is_replayed
    assert apart.why[0].startswith("Somebody decided: two different people. The evidence alone says the same person")
    assert together.why[0].startswith("Somebody decided: the same person. The evidence alone says two different people")
    assert cluster is not None
    assert any("Somebody decided" in text and "not the same" in text for text in cluster.why)


def test_a_model_that_did_not_make_the_tables_is_known(ran: Ran) -> None:
    model = ran.models["contact"]

    assert replays(ran.engine, model)
    assert not replays(ran.engine, model.model_copy(update={"prior_log2": model.prior_log2 + 1}))
