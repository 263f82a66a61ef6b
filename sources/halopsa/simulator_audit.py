"""The change log of the simulated HaloPSA: who changed which field of which record, from what to what.

Belongs here: writing it down and its list. Does not: the changes (`simulator_records.py`), HTTP (`simulator.py`).
Surprise: names are those of the public OpenAPI file (schema Audit); `table_name` is that of the database (AREA is a
client) and `value` is the field, as a screen calls it. The file lists no parameter for this list, so no filter works
here; pages and order do, as on other lists.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sources.halopsa.simulator_modes import HaloModes
from sources.halopsa.simulator_names import ADDRESS_KEYS, AGENTS, AUDIT_TABLE, LABELS
from sources.simulation import SimulatorStore

Row = dict[str, Any]
_BUCKET = "audit"
_PAGE_ROWS = 50


class HaloAudit:
    """All changes, the oldest first, in memory and written through to the store."""

    def __init__(self, modes: HaloModes, store: SimulatorStore, definitions: Iterable[Row]) -> None:
        self._modes = modes
        self._store = store
        self._custom_names = {str(item["id"]): (item["name"], item["label"]) for item in definitions}
        self.rows: list[Row] = list(store.load(_BUCKET).values())

    def note(self, resource: str, row: Row, kept: Row, *, by: int, at: str) -> None:
        """Write down what `kept` changes in `row`; to be called before it does."""
        fresh = [
            {
                "id": len(self.rows) + number,
                "date": at,
                "table_name": AUDIT_TABLE[resource],
                "id1": row["id"],
                "id2": 0,
                "agent_id": by,
                "username": AGENTS[by],
                "value": name,
                "from": before,
                "to": after,
            }
            for number, (name, before, after) in enumerate(self._changes(row, kept), 1)
        ]
        self.rows += fresh
        self._store.put_many(_BUCKET, ((f"{item['id']:012d}", item) for item in fresh))

    def page(self, query: Mapping[str, str]) -> Row:
        """The envelope that answers a list request."""
        is_paged = query.get("pageinate", "").lower() == "true"
        rows = self.rows[::-1] if query.get("orderdesc", "").lower() == "true" else self.rows
        size = min(int(query.get("page_size", _PAGE_ROWS)), self._modes.page_rows_max) if is_paged else _PAGE_ROWS
        page_no = max(int(query.get("page_no", 1)), 1) if is_paged else 1
        if self._modes.past_end == "repeat":
            page_no = min(page_no, max(1, -(-len(rows) // size)))
        chosen = rows[(page_no - 1) * size : page_no * size]
        return {"page_no": page_no, "page_size": size, "record_count": len(rows), "audits": chosen}

    def _changes(self, row: Row, kept: Row) -> Iterator[tuple[str, str, str]]:
        for name, value in kept.items():
            if name == "_custom":
                yield from self._changed(row.get(name) or {}, value, lambda key: self._custom_name(key))
            elif name.endswith("_address"):
                held = row.get(name) or {}
                before = {key: held.get(key) for key in ADDRESS_KEYS}
                yield from self._changed(before, value or {}, lambda key: self._spelled(f"delivery_address {key}"))
            else:
                yield from self._changed({name: row.get(name)}, {name: value}, self._spelled)

    @staticmethod
    def _changed(before: Mapping[str, Any], after: Mapping[str, Any], spell: Any) -> Iterator[tuple[str, str, str]]:
        for key in {**before, **after}:
            if _text(before.get(key)) != _text(after.get(key)):
                yield spell(key), _text(before.get(key)), _text(after.get(key))

    def _spelled(self, name: str) -> str:
        if self._modes.audit_names == "api":
            return name
        return LABELS.get(name, name.replace("_", " ").title())

    def _custom_name(self, key: str) -> str:
        name, label = self._custom_names[key]
        return name if self._modes.audit_names == "api" else label


def _text(value: Any) -> str:
    return "" if value is None else str(value).encode("utf-8", "replace").decode("utf-8")
