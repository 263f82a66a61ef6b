"""One mutation played: the vendor sends everything anew and changed; what is held, what is named, what gets in.

Belongs here: a vendor's archive as a first run left it, a second load on top of it, the verdict. Does not: which
mutations there are (`drift_mutations.py`), how many are played (`drift.py`, tests).
Surprise: each person and company also moves to another state, in the same payload. So a row that should
have been held and was not is seen at once, and so is one that should have come in.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dlt
import duckdb
import pyarrow as pa
from dlt.extract import DltResource, DltSource
from sources.archive import Archive, ArchiveRow
from sources.clock import VirtualClock
from sources.intake import RAW_SCHEMA, Meter
from sources.load import load
from sources.paid import archived, quarantine
from transforms.engines.duckdb import DuckDBEngine

from orchestration import settings as settings_module
from orchestration.bench.drift_mutations import Mutation
from orchestration.resources import build_runtime
from orchestration.simulated import Recipe, simulated

MARK = "Marked anew"


@dataclass
class Verdict:
    """What one mutation came to. `faults` is empty where it was named rightly and no wrong row got in."""

    mutation: Mutation
    touched: int
    held: int = 0
    faults: list[str] = field(default_factory=list)


class Base:
    """The archive and the raw tables of one vendor after a first run on a simulated world."""

    def __init__(self, folder: Path, source: str, *, people: int, seed: int = 7) -> None:
        self.folder, self.source = folder, source
        settings = settings_module.load(env_file=None).model_copy(update={"data": folder, "ledger_url": None})
        settings.prepare()
        with simulated(settings, Recipe(people=people, seed=seed)) as around:
            runtime = build_runtime(around.settings, clock=around.clock, only=[source])
            meter = Meter(source, run_id="base")
            load(runtime.sources[source](meter), name=source, warehouse=runtime.warehouse, state=folder / "dlt")
        assert not [*meter.problems, *meter.held], "a first run on a sound world has nothing to object to"
        archive = Archive(folder / "archive")
        self.payloads = {
            entity: dict(self._rows(entity)) for entity in ("contact", "organisation") if self._rows(entity)
        }
        self.standardised = {entity: standardised(settings.warehouse, source, entity) for entity in self.payloads}
        self.archived_as = {
            entity: entity if archive.last_seq(source, entity) else "contact" for entity in self.payloads
        }

    def play(self, mutation: Mutation, folder: Path) -> Verdict:
        """Send everything again, changed, and load it."""
        shutil.copytree(self.folder / "archive", folder / "archive", dirs_exist_ok=True)
        shutil.copyfile(self.folder / "warehouse.duckdb", folder / "warehouse.duckdb")
        archive, clock = Archive(folder / "archive"), VirtualClock()
        changed = self._changed(mutation)
        rows = [ArchiveRow(row_id, "anew", payload, 0.0, clock.now()) for row_id, (payload, _) in changed.items()]
        archive.append(self.source, self.archived_as[mutation.entity], self._as_archived(mutation.entity, rows))
        meter = Meter(self.source)
        load(self._again(archive, meter, clock), name=self.source, warehouse=folder / "warehouse.duckdb",
             state=folder / "dlt")  # fmt: skip
        touched = {row_id for row_id, (_, is_touched) in changed.items() if is_touched}
        return self._judged(mutation, meter, touched, folder / "warehouse.duckdb")

    # -- the second load ------------------------------------------------------------------------------------------

    def _changed(self, mutation: Mutation) -> dict[str, tuple[dict[str, Any], bool]]:
        """By id: the payload that is sent now, and whether the mutation touched it."""
        changed = {}
        staff = self._staff()
        for row_id, payload in self.payloads[mutation.entity].items():
            if self.archived_as[mutation.entity] != mutation.entity and row_id not in staff:
                continue
            mutated = mutation.apply(payload)
            sent = mutated if mutated is not None else dict(payload)
            changed[row_id] = _marked(self.source, sent), mutated is not None
        return changed

    def _as_archived(self, entity: str, rows: list[ArchiveRow]) -> list[ArchiveRow]:
        """Apollo's companies come inside people: each company again, inside one person who works there."""
        if self.archived_as[entity] == entity:
            return rows
        staff = self._staff()
        return [
            ArchiveRow(
                staff[row.id],
                row.stamp,
                {**self.payloads["contact"][staff[row.id]], "organization": row.payload},
                0.0,
                row.fetched_at,
            )
            for row in rows
        ]

    def _staff(self) -> dict[str, str]:
        """Of each company one person who works there."""
        staff: dict[str, str] = {}
        for person_id, person in self.payloads["contact"].items():
            employer = person.get("organization")
            if isinstance(employer, dict) and employer.get("id"):
                staff.setdefault(str(employer["id"]), person_id)
        return staff

    def _again(self, archive: Archive, meter: Meter, clock: VirtualClock) -> DltSource:
        """The source without its vendor: what the archive holds and was not loaded yet."""
        from sources.apollo import organisations_in

        def employers(table: Any) -> Any:
            rows = {row["id"]: row for row in organisations_in(table)}
            return pa.Table.from_pylist(list(rows.values()), schema=RAW_SCHEMA)

        @dlt.source(name=self.source, max_table_nesting=0)
        def source() -> Iterator[DltResource]:
            for entity, kept_as in self.archived_as.items():
                if entity == kept_as:
                    yield archived(entity, archive, meter)
                else:
                    yield archived(entity, archive, meter, kept_as=kept_as, rows_of=employers)
            yield quarantine(archive, meter, clock)

        return source()

    # -- the verdict ----------------------------------------------------------------------------------------------

    def _judged(self, mutation: Mutation, meter: Meter, touched: set[str], warehouse: Path) -> Verdict:
        mine = [drift for drift in meter.drift if drift.entity == mutation.entity]
        verdict = Verdict(mutation, len(touched), held=sum(drift.rows for drift in mine))
        named = {(drift.field, drift.change) for drift in mine}
        if named != {(mutation.field, mutation.change)}:
            verdict.faults.append(f"named {sorted(named)}")
        if mutation.name and {drift.detail for drift in mine} != {mutation.name}:
            verdict.faults.append(f"the new name was given as {sorted(drift.detail for drift in mine)}")
        if bool(meter.held) is not (mutation.change != "added"):
            verdict.faults.append(f"held: {meter.held}")
        before, after = self.standardised[mutation.entity], standardised(warehouse, self.source, mutation.entity)
        keys = {f"{self.source}:{row_id}" for row_id in touched}
        if mutation.change == "added":
            verdict.faults += [f"{key} was not let in" for key in keys if before[key] == after.get(key)][:3]
        else:
            verdict.faults += [f"{key} is a wrong row" for key in keys if before[key] != after.get(key)][:3]
        return verdict

    def _rows(self, entity: str) -> list[tuple[str, dict[str, Any]]]:
        with duckdb.connect(str(self.folder / "warehouse.duckdb"), read_only=True) as connection:
            rows = connection.execute(f"select id, payload from raw_{self.source}.{entity} order by id").fetchall()
        return [(row_id, json.loads(payload)) for row_id, payload in rows]


def standardised(warehouse: Path, source: str, entity: str) -> dict[str, tuple[Any, ...]]:
    """By record key: the rows that the mapping makes of the raw tables now."""
    with duckdb.connect(str(warehouse)) as connection:
        name = f"standardised.{source}_{entity}"
        DuckDBEngine(connection).sql(name)
        rows = connection.execute(f"select * from {name}").fetchall()
    return {row[0]: row for row in rows}


def _marked(source: str, payload: dict[str, Any]) -> dict[str, Any]:
    """A visible change besides, in a field that no mutation is about."""
    inside = payload.get("attributes") if source == "zoominfo" else payload
    if isinstance(inside, dict):
        inside["state"] = MARK
    return payload
