"""The records of the simulated HaloPSA: clients, their sites, the people on them, and what a POST does to them.

Belongs here: state, validation, side effects of creating. Does not: HTTP, lists (`simulator_lists.py`).
Surprise: what the world makes nasty is nasty here too. An unknown field is dropped without a word, a partial
`customfields` array wipes the others, and nothing is unique unless a tenant says so.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from sources.clock import Clock
from sources.halopsa.simulator_audit import HaloAudit
from sources.halopsa.simulator_modes import HaloModes
from sources.halopsa.simulator_names import (
    ADDRESS_KEYS,
    CREATE_ONLY,
    FIELDS,
    FLAGS,
    ID_FIELDS,
    LENGTH_MAX,
    PARENT,
    PERSON,
    RESOURCES,
    TOPLEVELS,
)
from sources.simulation import SimulatorStore

Row = dict[str, Any]


class Refused(Exception):
    """A 400. `state` is set where Halo answers with a model state instead of a text."""

    def __init__(self, text: str, state: dict[str, list[str]] | None = None) -> None:
        super().__init__(text)
        self.text = text
        self.state = state


@dataclass
class HaloFixture:
    """What a tenant holds before the first request, in Halo's own field names, ids included."""

    clients: list[Row] = field(default_factory=list)
    sites: list[Row] = field(default_factory=list)
    users: list[Row] = field(default_factory=list)


class HaloRecords:
    """All records, in memory and written through to the store."""

    def __init__(self, modes: HaloModes, clock: Clock, store: SimulatorStore, fixture: HaloFixture) -> None:
        self.modes = modes
        self.clock = clock
        self._store = store
        self.ignored: Counter[str] = Counter()  # names posted that Halo does not know
        self.created_at_s: dict[tuple[str, int], float] = {}
        self.definitions = modes.custom_field_definitions()
        self.audit = HaloAudit(modes, store, self.definitions)
        self._load(fixture)

    # -- state ----------------------------------------------------------------------------------------------------

    def _load(self, fixture: HaloFixture) -> None:
        if self._store.get("meta", "seeded") is None:
            for resource, rows in zip(RESOURCES, (fixture.clients, fixture.sites, fixture.users), strict=True):
                self._store.put_many(resource, ((f"{row['id']:012d}", row) for row in rows))
            self._store.put("meta", "seeded", True)
        self.rows: dict[str, dict[int, Row]] = {resource: {} for resource in RESOURCES}
        self.versions: Counter[str] = Counter()
        self.ids: dict[str, list[int]] = {resource: [] for resource in RESOURCES}  # ascending, deleted ones left out
        self._next_id: dict[str, int] = dict.fromkeys(RESOURCES, 1)
        self.sites_of: defaultdict[int, list[int]] = defaultdict(list)
        self.users_of: defaultdict[int, list[int]] = defaultdict(list)  # by site
        for resource in RESOURCES:
            for row in self._store.load(resource).values():
                self._next_id[resource] = max(self._next_id[resource], row["id"] + 1)
                if not row.get("_deleted"):
                    self._insert(resource, row)

    def _insert(self, resource: str, row: Row) -> None:
        self.rows[resource][row["id"]] = row
        self.ids[resource].append(row["id"])
        self.versions[resource] += 1
        if resource == "Site":
            self.sites_of[row["client_id"]].append(row["id"])
        elif resource == "Users":
            self.users_of[row["site_id"]].append(row["id"])

    def _save(self, touched: list[tuple[str, Row]]) -> None:
        for resource in RESOURCES:
            rows = [(f"{row['id']:012d}", row) for kind, row in touched if kind == resource]
            if rows:
                self._store.put_many(resource, rows)

    def client_of(self, user: Row) -> int:
        """The client a user belongs to, through its site."""
        return self.rows["Site"][user["site_id"]]["client_id"]

    def delete(self, resource: str, record_id: int) -> Row:
        """Remove a record; a test's way to show that we never do."""
        row = self.rows[resource].pop(record_id)
        if row.get("_tickets"):
            self.rows[resource][record_id] = row
            raise Refused("CODE:APP07/1 This record has tickets and cannot be deleted.")
        self.ids[resource].remove(record_id)
        if resource == "Users":
            self.users_of[row["site_id"]].remove(record_id)
        elif resource == "Site":
            self.sites_of[row["client_id"]].remove(record_id)
        self.versions[resource] += 1
        self._save([(resource, row | {"_deleted": True})])
        return row

    def edit(self, resource: str, record_id: int, name: str, value: Any) -> None:
        """A person changes one field in Halo's own screens."""
        row = self.rows[resource][record_id]
        if row.get(name) != value:
            self.audit.note(resource, row, {name: value}, by=PERSON, at=self._stamp())
            row[name] = value
            row["_updated"] = self._stamp()
            self.versions[resource] += 1
            self._save([(resource, row)])

    # -- posting --------------------------------------------------------------------------------------------------

    def post(self, resource: str, elements: list[Any], *, fail_at: int | None = None, by: int = PERSON) -> list[Row]:
        """Apply an array in order; what stands before a refused element stays applied, unless the tenant is atomic.
        `by` is the agent who does it, for the change log.

        Raises:
            Refused: the first element that is wrong; `fail_at` makes one so.
        """
        if self.modes.is_batch_atomic:
            for number, element in enumerate(elements):
                self._check(resource, number, element)
        done: list[Row] = []
        for number, element in enumerate(elements):
            if number == fail_at:
                raise Refused("An error occurred while saving the record.")
            self._check(resource, number, element)
            fields = {str(key).lower(): value for key, value in element.items()}
            done.append(self._apply(resource, fields, by=by))
        return done

    def _check(self, resource: str, number: int, element: Any) -> None:
        if not isinstance(element, dict):
            raise Refused("", {f"[{number}]": ["Error converting value to type object."]})
        fields = {str(key).lower(): value for key, value in element.items()}
        for name in ID_FIELDS & fields.keys():
            if not isinstance(fields[name], int) or isinstance(fields[name], bool):
                text = f"Error converting value {fields[name]!r} to type 'System.Int32'. Path '[{number}].{name}'."
                raise Refused("", {f"[{number}].{name}": [text]})
        is_known = fields.get("id", 0) in self.rows[resource]
        if "id" in fields and not is_known and self.modes.unknown_id == "reject":
            raise Refused(f"Record with id {fields['id']} was not found.")
        self._check_values(resource, fields, is_known)
        self._check_unique(resource, fields, is_known)

    def _check_values(self, resource: str, fields: Row, is_known: bool) -> None:
        if ("name" in fields or not is_known) and not str(fields.get("name") or "").strip():
            raise Refused("CODE:APP03/2 Please enter a name; this field is mandatory.")
        for name, length in LENGTH_MAX.items():
            if len(str(fields.get(name) or "")) > length:
                raise Refused("String or binary data would be truncated.")
        parent = PARENT[resource]
        parents: dict[str, Collection[int]] = {
            "Client": TOPLEVELS,
            "Site": self.rows["Client"],
            "Users": self.rows["Site"],
        }
        if parent in fields and fields[parent] not in parents[resource]:
            raise Refused(f"The {parent} {fields[parent]} does not exist.")
        if not is_known:
            if resource != "Client" and parent not in fields:
                raise Refused(f"CODE:APP03/2 {parent} is required.")
            for name in self.modes.mandatory_fields.get(resource, ()):
                if not self._is_given(resource, fields, name):
                    raise Refused(f"CODE:APP03/2 The field {name} is mandatory.")

    def _is_given(self, resource: str, fields: Row, name: str) -> bool:
        if name.startswith("CF"):
            values = self._custom_values(resource, fields.get("customfields"))
            return any(values.get(str(item["id"])) for item in self._definitions(resource) if item["name"] == name)
        return fields.get(name) not in (None, "")

    def _check_unique(self, resource: str, fields: Row, is_known: bool) -> None:
        if resource != "Users" or self.modes.uniqueness == "none":
            return
        site_id = fields.get("site_id") or self.rows["Users"][fields["id"]]["site_id"]
        if self.modes.uniqueness == "unique_name_per_site":
            name, near = "name", [site_id]
        else:
            name, near = "emailaddress", self.sites_of[self.rows["Site"][site_id]["client_id"]]
        value = str(fields.get(name) or "").casefold()
        others = (self.rows["Users"][user_id] for site in near for user_id in self.users_of[site])
        taken = (row["id"] for row in others if str(row.get(name) or "").casefold() == value)
        if value and any(user_id != fields.get("id") for user_id in taken):
            raise Refused(f"A user with this {'name' if name == 'name' else 'email address'} already exists.")

    def _apply(self, resource: str, fields: Row, *, by: int) -> Row:
        unknown = fields.keys() - FIELDS[resource] - FLAGS - CREATE_ONLY[resource]
        self.ignored.update(f"{resource}.{name}" for name in unknown)
        kept = {name: value for name, value in fields.items() if name in FIELDS[resource]}
        for name in ("delivery_address", "invoice_address"):
            if isinstance(kept.get(name), dict):
                self.ignored.update(f"{resource}.{name}.{key}" for key in kept[name].keys() - set(ADDRESS_KEYS))
                kept[name] = {key: kept[name].get(key) or "" for key in ADDRESS_KEYS}
        if "customfields" in fields:
            kept["_custom"] = self._custom_values(resource, fields["customfields"])
        if fields.get("id") in self.rows[resource]:
            return self._update(resource, self.rows[resource][fields["id"]], kept, by=by)
        return self._create(resource, kept, fields)

    def _update(self, resource: str, row: Row, kept: Row, *, by: int) -> Row:
        if "_custom" in kept and self.modes.custom_fields == "merge":
            kept["_custom"] = {**row.get("_custom", {}), **kept["_custom"]}
        if any(row.get(name) != value for name, value in kept.items()):
            if resource == "Users" and kept.get("site_id", row["site_id"]) != row["site_id"]:
                self.users_of[row["site_id"]].remove(row["id"])
                self.users_of[kept["site_id"]].append(row["id"])
            self.audit.note(resource, row, kept, by=by, at=self._stamp())
            row.update(kept)
            row["_updated"] = self._stamp()
            self.versions[resource] += 1
            self._save([(resource, row)])
        return row

    def _create(self, resource: str, kept: Row, fields: Row) -> Row:
        row = self._new(resource, kept)
        made = [(resource, row)]
        if resource == "Client":
            name = fields.get("newclient_sitename") or "Main"
            phone = {"phonenumber": fields["newclient_phonenumber"]} if fields.get("newclient_phonenumber") else {}
            site = self._new("Site", {"name": name, "client_id": row["id"], **phone})
            row["main_site_id"] = site["id"]
            made += [("Site", site), ("Users", self._new_general_user(site))]
        elif resource == "Site":
            made.append(("Users", self._new_general_user(row)))
        self._save(made)
        return row

    def _new(self, resource: str, kept: Row) -> Row:
        now = self._stamp()
        row = {**kept, "id": self._next_id[resource], "_created": now, "_updated": now}
        self._next_id[resource] += 1
        self.created_at_s[resource, row["id"]] = self.clock.time()
        self._insert(resource, row)
        return row

    def _new_general_user(self, site: Row) -> Row:
        return self._new("Users", {"name": "General User", "site_id": site["id"], "_general": True})

    # -- custom fields --------------------------------------------------------------------------------------------

    def _definitions(self, resource: str) -> list[Row]:
        typeid = {"Client": 2, "Site": 3, "Users": self.modes.user_typeid}[resource]
        return [item for item in self.definitions if item["typeid"] == typeid]

    def _custom_values(self, resource: str, items: Any) -> dict[str, Any]:
        """Values by field id as text, from elements that name a field by id or by name; others are dropped."""
        known = self._definitions(resource)
        by_name = {item["name"].lower(): item["id"] for item in known}
        ids = {item["id"] for item in known}
        values: dict[str, Any] = {}
        for item in items if isinstance(items, list) else []:
            given = item if isinstance(item, dict) else {}
            field_id = given.get("id", by_name.get(str(given.get("name", "")).lower()))
            if field_id in ids:
                values[str(field_id)] = given.get("value")
            else:
                self.ignored[f"{resource}.customfields.{field_id}"] += 1
        return values

    def custom_fields_of(self, resource: str, row: Row, only_ids: set[int] | None = None) -> list[Row]:
        """The `customfields` array as it is read back."""
        values = row.get("_custom", {})
        return [
            {key: item[key] for key in ("id", "name", "label", "type")}
            | {"value": values.get(str(item["id"])), "display": values.get(str(item["id"])) or ""}
            for item in self._definitions(resource)
            if only_ids is None or item["id"] in only_ids
        ]

    def _stamp(self) -> str:
        return self.clock.now().replace(tzinfo=None).isoformat(timespec="seconds")
