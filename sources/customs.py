"""What may go from the archive into the warehouse: rows that a drift spoilt stay out.

Belongs here: what holds a row, the record of what was held. Does not: noticing drift (`drift.py`), loads of an unlikely
size (`volume.py`), loading (`paid.py`), taking held rows in again (`replay.py`).
Surprise: what is held is written into the archive, under the key and version of its row. So a warehouse that is built
anew holds the same rows, and the rows that stand in it keep the last values that were good.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from dataclasses import asdict
from typing import Any

import pyarrow as pa

from sources.archive import Archive, ArchiveRow
from sources.drift import Finding, Inspection, Profile, breaches
from sources.intake import Drift, Meter, Poison
from sources.payload_contracts import CONTRACTS

QUARANTINE, ACCEPTED = "quarantine", "accepted"
RELEASED = "released"  # as the version of a row of the quarantine: it was taken in again

Batches = Callable[[], Iterable[tuple[int, pa.Table]]]  # may be asked more than once


class Customs:
    """One entity of one source in one run; `state` is the resource's dlt state, kept in the warehouse."""

    def __init__(self, archive: Archive, meter: Meter, entity: str, state: MutableMapping[str, Any]) -> None:
        self._archive, self._meter, self._entity, self._state = archive, meter, entity, state
        self._contract = CONTRACTS.get((meter.source, entity))
        self._refused: set[tuple[str, str]] = set()
        accepted = archive.last_seq(meter.source, ACCEPTED)
        self._is_accepted = accepted > state.get("accepted_seq", 0)
        state["accepted_seq"] = accepted
        if self._is_accepted:
            state.pop("volumes", None)  # whatever size comes next is the usual one

    def inspect(self, batches: Batches) -> None:
        """Look at all rows of a load before the first of them goes in."""
        if self._contract is None:
            return
        known = Profile() if self._is_accepted else Profile.of(self._state.get("profile"))
        inspection = Inspection(self._contract, known)
        held = held_versions(self._archive, self._meter.source)
        wrong: list[ArchiveRow] = []
        for row, payload in self._rows(batches()):
            if (self._key(row), row["content_hash"]) in held:
                self._refused.add(_mark(row))
                continue
            kind = inspection.see(payload)
            if kind is not None:
                wrong.append(self._refusal(row, kind[0], f"{kind[1]} instead of what it was"))
        findings = inspection.findings()
        blocking = [finding for finding in findings if finding.is_blocking]
        if blocking:
            wrong += self._suffering(batches, blocking)
        self._archive.append(self._meter.source, QUARANTINE, list({row.id: row for row in wrong}.values()))
        self._tell(findings, wrong, inspection.seen.rows)
        if not blocking:
            self._state["profile"] = (known + inspection.seen).told()

    def passed(self, table: pa.Table) -> pa.Table:
        """The rows that may go in."""
        if not self._refused:
            return table
        marks = zip(table["id"].to_pylist(), table["content_hash"].to_pylist(), strict=True)
        return table.filter(pa.array([mark not in self._refused for mark in marks], pa.bool_()))

    def _suffering(self, batches: Batches, findings: list[Finding]) -> list[ArchiveRow]:
        """Rows that a finding about many of them spoils, and that are not refused yet."""
        found = []
        for row, payload in self._rows(batches()):
            finding = None if _mark(row) in self._refused else breaches(payload, findings)
            if finding is not None:
                found.append(self._refusal(row, finding.field, str(finding)))
        return found

    def _rows(self, batches: Iterable[tuple[int, pa.Table]]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
        for _, table in batches:
            for row in table.select(["id", "content_hash", "fetched_at", "payload"]).to_pylist():
                yield row, json.loads(row["payload"])

    def _refusal(self, row: Mapping[str, Any], field: str, reason: str) -> ArchiveRow:
        self._refused.add(_mark(row))
        remedy = (
            f"What was loaded of it before stays. Once {self._meter.source} or the mapping is mended: halosync replay "
            f"--source {self._meter.source}; to take it in as it is, add --accept."
        )
        poison = Poison(row["id"], self._entity, field, reason, row["payload"], remedy)
        return ArchiveRow(self._key(row), row["content_hash"], asdict(poison), 0.0, row["fetched_at"])

    def _tell(self, findings: list[Finding], wrong: list[ArchiveRow], rows: int) -> None:
        source, entity = self._meter.source, self._entity
        by_field: dict[str, int] = {}
        for row in wrong:
            by_field[row.payload["field"]] = by_field.get(row.payload["field"], 0) + 1
        for finding in findings:
            held = by_field.pop(finding.field, 0)
            self._meter.drift.append(Drift(entity, finding.field, finding.change, finding.detail, held))
            if finding.is_blocking:
                self._meter.hold(
                    f"{source}: drift in {entity}: {finding}; {held:,} of {rows:,} rows are held and keep their last "
                    f"good values, all others are loaded. See raw_{source}.quarantine, ops.drift; once it is mended: "
                    f"halosync replay --source {source}."
                )
            else:
                self._meter.note(f"{source}: drift in {entity}: {finding}; it is kept and mapped to nothing.")
        self._meter.quarantine(
            Poison(row.payload["id"], entity, row.payload["field"], row.payload["reason"], "")
            for row in wrong
            if row.payload["field"] in by_field
        )

    def _key(self, row: Mapping[str, Any]) -> str:
        return f"{self._entity}:{row['id']}"


def held_versions(archive: Archive, source: str) -> set[tuple[str, str]]:
    """(entity:id, version) of every row that is held; a release ends it for all versions before."""
    held: dict[str, set[str]] = {}
    for _, table in archive.batches(source, QUARANTINE, columns=["id", "stamp"]):
        for key, version in zip(table["id"].to_pylist(), table["stamp"].to_pylist(), strict=True):
            if version == RELEASED:
                held.pop(key, None)
            else:
                held.setdefault(key, set()).add(version)
    return {(key, version) for key, versions in held.items() for version in versions}


def _mark(row: Mapping[str, Any]) -> tuple[str, str]:
    return row["id"], row["content_hash"]
