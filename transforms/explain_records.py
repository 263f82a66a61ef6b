"""What the tables of a run know of single records and of pairs of them: the raw material of a story.

Belongs here: finding records, their values, stored pairs, keys they share, decisions, and comparing a pair that no run
compared. Does not: what evidence is worth (explain.py), what it means for a golden record (explain_joins.py).
Surprise: a live comparison goes through the kernel and the model's own common values, so it gives the very pattern that
a run would have stored.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import pyarrow as pa

from transforms.engines.pairing import Sides
from transforms.engines.port import Engine
from transforms.explain import DECIDED_MILLI
from transforms.kernels.patterns import COMMON_SCHEMA, COMPARED, Common, Patterns
from transforms.model import Model

# Blocking, as sql/resolved/*_block.sql and *_candidate.sql say it; a test compares every pair of a small world.
BLOCK_MAX = 64
POINTS = ((16, 4), (32, 2), (BLOCK_MAX, 1))
POINTS_NEEDED = 4

Row = dict[str, object]
_SHOWN = {
    "contact": {
        "first": ("first_name",),
        "last": ("last_name",),
        "middle": ("middle_name",),
        "suffix": ("name_suffix",),
        "organisation": ("organisation_name",),
        "mail": ("email",),
        "phone": ("phone", "mobile"),
        "linkedin": ("linkedin_url",),
        "born": ("date_of_birth",),
        "street": ("street",),
        "place": ("postcode", "city"),
        "title": ("job_title",),
        "external": ("external_id",),
    },
    "organisation": {
        "name": ("name",),
        "site": ("domain", "email_domain"),
        "phone": ("phone",),
        "linkedin": ("linkedin_url",),
        "street": ("street",),
        "place": ("postcode", "city"),
        "country": ("country",),
        "external": ("external_id",),
    },
}
# Compared field -> the field of the model's values under which its generic ones are known, and what to call one.
_GENERIC = {
    "phone": ("phone", ("phone", "mobile"), "switchboard"),
    "mail": ("email", ("email",), "shared mailbox"),
    "site": ("site", ("domain", "email_domain"), "site of many companies"),
}


@dataclass(frozen=True)
class Record:
    """One source record as standardised, and where it ended up."""

    key: str
    rid: int
    source: str
    name: str
    golden_id: str
    since: object
    values: Row


@dataclass(frozen=True)
class Told:
    """What two records say in one compared field; `note` where something said was no evidence."""

    left: str
    right: str
    note: str


@dataclass(frozen=True)
class SharedKey:
    """A key that two records share: its block (or part of one) holds `records`; `points` it gives towards a meeting."""

    rule: str
    key: str
    records: int
    points: int
    why: str


@dataclass(frozen=True)
class Edge:
    """A compared pair of records, by rid, l < r."""

    l: int  # noqa: E741  (the column's name)
    r: int
    pattern: int
    milli: int


class Evidence:
    """The tables of one entity and the model they were made with; reads only."""

    def __init__(self, engine: Engine, entity: str, model: Model) -> None:
        self.engine, self.entity, self.model = engine, entity, model

    def find(self, name: str) -> list[Record]:
        """The record of this key; else those whose source calls them so."""
        standard = f"standardised.{self.entity}"
        text = quoted(name)
        rows = self._records(f"{standard} where record_key = {text}")
        return rows or self._records(f"{standard} where source_id = {text}")

    def members(self, golden_id: str) -> list[Record]:
        """Sorted by key; none where the id is not alive."""
        identity = f"golden.{self.entity}_identity where golden_id = {quoted(golden_id)}"
        return self._records(f"standardised.{self.entity} where record_key in (select record_key from {identity})")

    def of(self, rids: Iterable[int]) -> dict[int, Record]:
        found = self._records(f"standardised.{self.entity} where rid in ({_listed(rids)})")
        return {record.rid: record for record in found}

    def edges(self, rids: Iterable[int], *, outward: bool = False) -> list[Edge]:
        """Compared pairs with both ends among `rids`, or with exactly one; the strongest first."""
        inside = f"in ({_listed(rids)})"
        where = f"(l {inside}) != (r {inside})" if outward else f"l {inside} and r {inside}"
        rows = self._rows(f"resolved.{self.entity}_pair where {where}", ("l", "r", "pattern", "weight"))
        found = (Edge(row["l"], row["r"], row["pattern"], row["weight"]) for row in rows)  # type: ignore[arg-type]
        return sorted(found, key=lambda edge: (-edge.milli, edge.l, edge.r))

    def components(self, rids: Iterable[int]) -> dict[int, int | None]:
        rows = self._rows(f"resolved.{self.entity}_cluster where rid in ({_listed(rids)})", ("rid", "component"))
        return {row["rid"]: row["component"] for row in rows}  # type: ignore[misc]

    def decisions(self, keys: Iterable[str]) -> dict[tuple[str, str], bool]:
        """What was decided of these records: (smaller key, larger key) -> the same; a no outweighs a yes."""
        if not self.engine.has(f"ops.{self.entity}_decision"):
            return {}
        listed = ", ".join(quoted(key) for key in keys)
        found: dict[tuple[str, str], bool] = {}
        for row in self._rows(
            f"ops.{self.entity}_decision where record_key_l in ({listed}) or record_key_r in ({listed})"
        ):
            one, two = sorted((str(row["record_key_l"]), str(row["record_key_r"])))
            found[one, two] = bool(row["is_same"]) and found.get((one, two), True)
        return found

    def pattern(self, left: Record, right: Record) -> int:
        """Compare two records now."""
        low, high = sorted((left.rid, right.rid))
        columns = ("rid", *COMPARED[self.entity])
        feature = self.engine.fetch(f"resolved.{self.entity}_feature where rid in ({low}, {high})", columns)
        pair = pa.RecordBatch.from_arrays(
            [pa.array([low]), pa.array([high]), pa.array([False])], names=["l", "r", "is_sample"]
        )
        found = self._kernel(pair, *Sides(feature.to_batches(), "rid").of(pair))
        return int(found.column("pattern")[0].as_py())

    def told(self, left: Record, right: Record) -> dict[str, Told]:
        """Compared field -> what both say."""
        return {
            feature: Told(_shown(left, columns), _shown(right, columns), self._note(feature, left, right))
            for feature, columns in _SHOWN[self.entity].items()
        }

    def shared_keys(self, left: Record, right: Record) -> list[SharedKey]:
        """The keys under which both could have met, those that say most first."""
        key = f"resolved.{self.entity}_key"
        shared = f"select rule, key from {key} where rid in ({left.rid}, {right.rid}) group by rule, key"
        blocks: dict[tuple[str, str], list[Row]] = {}
        for row in self._rows(f"{key} where (rule, key) in ({shared} having count(*) = 2)"):
            blocks.setdefault((str(row["rule"]), str(row["key"])), []).append(row)
        found = [_shared(*name, rows, left.rid, right.rid) for name, rows in blocks.items()]
        return sorted(found, key=lambda one: (-one.points, one.records, one.rule, one.key))

    @cached_property
    def never_met_milli(self) -> int:
        """What clustering took a pair for that no run compared."""
        return int(self.engine.fetch(f"resolved.{self.entity}_unmet")["never_met_milli"][0].as_py())

    @cached_property
    def _kernel(self) -> Patterns:
        return Patterns(self.entity, Common(self.model.value_table().select(COMMON_SCHEMA.names).cast(COMMON_SCHEMA)))

    def _note(self, feature: str, left: Record, right: Record) -> str:
        if feature not in _GENERIC:
            return ""
        field, columns, name = _GENERIC[feature]
        known = self.model.values.get(field, {})
        ours, theirs = (
            {str(record.values[column]) for column in columns if record.values.get(column)} for record in (left, right)
        )
        generic = {value for value in ours | theirs if value in known and known[value][2]}
        if both := sorted(generic & ours & theirs):
            return f"same {name} {both[0]}: learned as generic, no evidence"
        if generic:
            return f"{name} {', '.join(sorted(generic))}: learned as generic, not compared"
        return ""

    def _records(self, table: str) -> list[Record]:
        rows = self._rows(table)
        if not rows:
            return []
        listed = ", ".join(quoted(str(row["record_key"])) for row in rows)
        identity = {
            row["record_key"]: row
            for row in self._rows(f"golden.{self.entity}_identity where record_key in ({listed})")
        }
        found = []
        for row in rows:
            owner = identity.get(row["record_key"], {})
            found.append(
                Record(
                    key=str(row["record_key"]),
                    rid=int(row["rid"]),  # type: ignore[call-overload]
                    source=str(row["source"]),
                    name=_name(row),
                    golden_id=str(owner.get("golden_id", "")),
                    since=owner.get("since"),
                    values=row,
                )
            )
        return sorted(found, key=lambda record: record.key)

    def _rows(self, table: str, columns: tuple[str, ...] = ()) -> list[Row]:
        return self.engine.fetch(table, columns).to_pylist()


def replays(engine: Engine, model: Model) -> bool:
    """Whether the model gives the weights that are stored: looked at in a hundred pairs nobody decided on."""
    this = f"resolved.{model.entity}_"
    undecided = f"{this}pair where abs(weight) < {DECIDED_MILLI} order by l, r limit 100"
    pairs = engine.fetch(undecided, ("l", "r", "pattern", "weight")).to_pylist()
    if not pairs:
        return True
    listed = _listed({row[side] for row in pairs for side in ("l", "r")})
    rows = engine.fetch(f"{this}feature where rid in ({listed})", ("rid", "source")).to_pylist()
    source_of = {row["rid"]: row["source"] for row in rows}
    sources = [sorted((source_of[row["l"]], source_of[row["r"]])) for row in pairs]
    seen = pa.table(
        {
            "pattern": [row["pattern"] for row in pairs],
            "source_low": [low for low, _ in sources],
            "source_high": [high for _, high in sources],
        }
    )
    return model.weigh(seen)["weight"].to_pylist() == [row["weight"] for row in pairs]


def quoted(text: str) -> str:
    """A text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def _listed(rids: Iterable[int]) -> str:
    return ", ".join(str(rid) for rid in rids)


def _name(row: Row) -> str:
    parts = (row.get("first_name"), row.get("last_name"))
    return str(row.get("name") or row.get("full_name") or " ".join(str(part) for part in parts if part))


def _shown(record: Record, columns: tuple[str, ...]) -> str:
    return ", ".join(dict.fromkeys(str(record.values[column]) for column in columns if record.values.get(column)))


def _shared(rule: str, key: str, rows: list[Row], left: int, right: int) -> SharedKey:
    """What one shared key says, by the rules of blocking."""
    if len(rows) > BLOCK_MAX:
        part_of = {row["rid"]: row["refine"] or "" for row in rows}
        if part_of[left] != part_of[right]:
            return SharedKey(rule, key, len(rows), 0, f"over {BLOCK_MAX} records, split, and they fell into two parts")
        rows = [row for row in rows if part_of[row["rid"]] == part_of[left]]
        if len(rows) > BLOCK_MAX or any(row["refine"] is None for row in rows):
            return SharedKey(rule, key, len(rows), 0, f"over {BLOCK_MAX} records, skipped")
    points = next(points for size, points in POINTS if len(rows) <= size)
    return SharedKey(rule, key, len(rows), points, f"shared by {len(rows)} records")
