"""What simulated UpLead holds at one moment: columns of the world, indexed for its filters.

Belongs here: reading the world's view once a round, filters and their enums. Does not: JSON shapes (`shapes.py`),
routes, credits and limits (`simulator.py`).
Surprise: one person may stand under two domains, because the world lets a vendor hold somebody twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from sources.columns import Columns
from sources.uplead import shapes

_SELECTIONS_MAX = 5_000


class BadFilter(Exception):
    """A filter value UpLead answers with 400; the text says which."""


class Directory:
    """Contacts and companies of one round of the world."""

    def __init__(self, world: Any) -> None:
        self.contacts = Columns(world.contacts("uplead"))
        self.companies = Columns(world.organisations("uplead"))
        self._selections: dict[str, np.ndarray] = {}
        self._company_of_domain = _first_places(self.companies.values["domain"])
        self._company_of_name = _first_places(self.companies.values["name"])
        self._person_of_email = _first_places(self.contacts.values["email"])
        self._people_at = _places(self.contacts.values["organisation_domain"])
        self._arrays = self._contact_arrays()

    def company_by(self, *, domain: str = "", name: str = "", row_id: str = "") -> dict[str, Any] | None:
        place = self._company_of_domain.get(domain.lower()) if domain else None
        if place is None and name:
            place = self._company_of_name.get(name.lower())
        return self.companies.row(place) if place is not None else self.companies.by_id(row_id)

    def person_by(self, asked: Mapping[str, Any]) -> dict[str, Any] | None:
        """A person by id, by e-mail, or by first name, last name and domain."""
        if asked.get("id"):
            return self.contacts.by_id(str(asked["id"]))
        if asked.get("email"):
            place = self._person_of_email.get(str(asked["email"]).lower())
            return None if place is None else self.contacts.row(place)
        wanted = [str(asked.get(name, "")).lower() for name in ("first_name", "last_name")]
        for place in self._people_at.get(str(asked.get("domain", "")).lower(), []):
            row = self.contacts.row(place)
            if [str(row[name] or "").lower() for name in ("first_name", "last_name")] == wanted:
                return row
        return None

    def industry_of(self, row: Mapping[str, Any]) -> str | None:
        company = self.companies.by_id(row["organisation_id"])
        return company["industry"] if company else None

    def select(self, filters: Mapping[str, Any]) -> np.ndarray:
        """Places of the contacts that meet every filter; unknown filters are ignored.

        Raises:
            BadFilter: a value outside an enum.
        """
        known = {name: _texts(value) for name, value in sorted(filters.items()) if name in _FILTERS and value}
        key = repr(known)
        if key not in self._selections:
            if len(self._selections) >= _SELECTIONS_MAX:
                self._selections.clear()
            self._selections[key] = self._select(known)
        return self._selections[key]

    def _select(self, known: Mapping[str, list[str]]) -> np.ndarray:
        for name, values in known.items():
            allowed = _ENUMS.get(name)
            wrong = sorted(set(values) - allowed) if allowed else []
            if wrong:
                raise BadFilter(f"{name}: {', '.join(wrong)} is not allowed")
        domains = known.get("domains", []) + known.get("domain", [])
        if domains:
            places = [place for domain in dict.fromkeys(domains) for place in self._people_at.get(domain, [])]
            candidates = np.array(sorted(set(places)), dtype=np.int64)
        else:
            candidates = np.arange(self.contacts.rows)
        for name, values in known.items():
            column = _FILTERS[name]
            if column is not None:
                candidates = candidates[np.isin(self._arrays[column][candidates], values)]
        return candidates

    def _contact_arrays(self) -> dict[str, np.ndarray]:
        contacts = self.contacts
        companies = [self.companies.by_id(row_id) for row_id in contacts.values["organisation_id"]]
        rows = ({"email": email, "email_status": status} for email, status in
                zip(contacts.values["email"], contacts.values["email_status"], strict=True))  # fmt: skip
        return {
            "country": _folded(contacts.values["country"]),
            "state": _folded(contacts.values["state"]),
            "city": _folded(contacts.values["city"]),
            "title": _folded(contacts.values["job_title"]),
            "level": _folded(shapes.MANAGEMENT_LEVELS.get(word or "") for word in contacts.values["seniority"]),
            "function": _folded(shapes.job_function(word) for word in contacts.values["department"]),
            "status": _folded(shapes.email_status(row) for row in rows),
            "employees": _folded(shapes.employee_band(row) if row else None for row in companies),
        }


def _texts(value: Any) -> list[str]:
    return [str(part).lower() for part in (value if isinstance(value, list | tuple) else [value])]


def _folded(values: Any) -> np.ndarray:
    return np.array([str(value).lower() if value is not None else "" for value in values], dtype=object)


def _places(values: list[Any]) -> dict[str, list[int]]:
    places: dict[str, list[int]] = {}
    for place, value in enumerate(values):
        if value is not None:
            places.setdefault(str(value).lower(), []).append(place)
    return places


def _first_places(values: list[Any]) -> dict[str, int]:
    return {value: places[0] for value, places in _places(values).items()}


# Filter -> column of the index; None where the filter is answered by the domain index.
_FILTERS: dict[str, str | None] = {
    "domain": None,
    "domains": None,
    "country": "country",
    "countries": "country",
    "state": "state",
    "states": "state",
    "city": "city",
    "cities": "city",
    "title": "title",
    "titles": "title",
    "management_level": "level",
    "job_function": "function",
    "email_status": "status",
    "employees": "employees",
}
_ENUMS: dict[str, frozenset[str]] = {
    "management_level": frozenset({"m", "d", "vp", "c", "cx"}),
    "job_function": shapes.JOB_FUNCTIONS,
    "email_status": frozenset({"valid", "accept_all", "unknown", "invalid"}),
    "employees": frozenset(band for _, band in shapes.EMPLOYEE_BANDS) | {"10001+"},
}
