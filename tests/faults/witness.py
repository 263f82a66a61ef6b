"""The witness: what a tenant really took, element by element, whatever became of the answers.

Belongs here: remembering what was applied, and I7, which compares it with the ledger both ways. Does not: the tenant
itself (sources/halopsa/simulator*.py), other invariants (histories.py).
Surprise: it stands where the tenant applies a write, behind every fault of the way, so that it sees what was done late,
done and never answered, or never done; and it hears people as well, through `person`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from assets.publishing import mapping
from assets.publishing.ledger import Ledger
from assets.publishing.tables import effect
from sources.halopsa.simulator import HaloSimulator


class Witness:
    """Beside one simulated tenant."""

    def __init__(self, simulator: HaloSimulator) -> None:
        self.took: dict[tuple[str, int], dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        self.from_us: list[tuple[str, int, dict[str, Any]]] = []  # (resource, id, element as posted), in order
        self._is_person = False
        self._apply = simulator.records._apply
        simulator.records._apply = self._applied  # type: ignore[method-assign]

    @contextmanager
    def person(self) -> Iterator[None]:
        """What is posted meanwhile is done by somebody in HaloPSA's own pages."""
        self._is_person = True
        try:
            yield
        finally:
            self._is_person = False

    def contradictions(self, ledger: Ledger) -> list[str]:
        """I7, both ways: what the ledger says was done and was not, and what we did without a row that says so."""
        with ledger.read() as connection:
            rows = connection.execute(sa.select(effect).order_by(effect.c.effect_id)).all()
        return [*self._not_done(rows), *self._not_said(rows)]

    def _not_done(self, rows: Sequence[sa.Row[Any]]) -> Iterator[str]:
        for row in (row for row in rows if row.state == "acked"):
            claims = {"inactive": True} if row.operation == "deactivate" else _in_halos_names(row)
            for name, value in claims.items():
                if repr(value) not in self.took[row.resource, row.halo_id][name]:
                    yield f"effect {row.effect_id} counts as acked, {row.resource} {row.halo_id} never took its {name}"

    def _not_said(self, rows: Sequence[sa.Row[Any]]) -> Iterator[str]:
        said: dict[tuple[str, str], set[str]] = defaultdict(set)
        for row in (row for row in rows if row.state != "rejected"):
            for name, value in _in_halos_names(row).items():
                said[row.resource, name].add(repr(value))
        for resource, halo_id, element in self.from_us:
            for name in mapping.NAMES[resource].values():
                if name in element and repr(element[name]) not in said[resource, name]:
                    yield f"{resource} {halo_id} took a {name} from us that no effect tells of"

    def _applied(self, resource: str, fields: dict[str, Any], *, by: int) -> dict[str, Any]:
        row = self._apply(resource, fields, by=by)
        if not self._is_person:
            self.from_us.append((resource, row["id"], fields))
        for name, value in fields.items():
            self.took[resource, row["id"]][name].add(repr(value))
        return row


def _in_halos_names(row: sa.Row[Any]) -> dict[str, Any]:
    """The fields of an effect that have a name of their own at HaloPSA; the lines of an address have none."""
    names = mapping.NAMES[row.resource]
    return {names[name]: value for name, value in row.fields.items() if name in names}
