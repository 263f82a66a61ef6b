"""Forty changes that each vendor might make to what it sends; one list for the test, the bench and the reader.

Belongs here: the mutations, and how one is done to a payload. Does not: playing them (`drift_play.py`).
Surprise: only a payload that really has the field is changed, so that what must be held is known row by row.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sources.drift import ADDED, REMOVED, RENAMED, RETYPED, objects_in

MUTATED_AWAY = (REMOVED, RENAMED, RETYPED)

# Fields that are mutated away, three ways each; rare ones (a suffix, a do-not-call mark) are left out, for in a world
# of a few hundred people nobody could tell their absence from chance.
_FIELDS = {
    "apollo": {
        "contact": (
            *("email", "email_status", "first_name", "last_name", "title", "linkedin_url", "city", "departments"),
            *("organization.name",),
        ),
        "organisation": ("name", "primary_domain", "estimated_num_employees"),
    },
    "zoominfo": {
        "contact": (
            *("attributes.email", "attributes.firstName", "attributes.lastName", "attributes.jobTitle"),
            *("attributes.phone", "attributes.country", "attributes.contactAccuracyScore"),
            *("attributes.company", "attributes.company.name"),
        ),
        "organisation": ("attributes.name", "attributes.website", "attributes.city"),
    },
    "uplead": {
        "contact": (
            *("email", "email_status", "first_name", "last_name", "title", "phone_number", "domain", "linkedin_url"),
            *("company_name",),
        ),
        "organisation": ("company_name", "domain", "employees"),
    },
}
_NEW = {
    "apollo": (("contact", "pronouns"), ("contact", "organization.ticker_2"), ("organisation", "esg_score")),
    "zoominfo": (
        ("contact", "attributes.pronouns"),
        ("contact", "attributes.company.esgScore"),
        ("organisation", "attributes.esgScore"),
    ),
    "uplead": (("contact", "pronouns"), ("contact", "company.esg_score"), ("organisation", "esg_score")),
}


@dataclass(frozen=True)
class Mutation:
    """One change at one vendor. `name` is what the field is called afterwards, where it is renamed."""

    source: str
    entity: str
    field: str
    change: str
    name: str = ""

    def __str__(self) -> str:
        return f"{self.source} {self.entity} {self.field} {self.change} {self.name}".rstrip()

    def apply(self, payload: Mapping[str, Any]) -> dict[str, Any] | None:
        """The payload as the vendor would send it from now on; None where the change does not touch it."""
        changed = copy.deepcopy(dict(payload))
        parent, _, name = self.field.rpartition(".")
        is_touched = False
        for found in objects_in(changed, parent):
            assert isinstance(found, dict)
            if self.change == ADDED:
                found[name], is_touched = "new", True
            elif name in found and not (self.change == RETYPED and found[name] is None):
                is_touched = True
                self._change(found, name)
        return changed if is_touched else None

    def _change(self, found: dict[str, Any], name: str) -> None:
        value = found.pop(name)
        if self.change == RENAMED:
            found[self.name] = value
        elif self.change == RETYPED:
            found[name] = "as text" if isinstance(value, dict | list) else {"value": value}


def mutations(source: str) -> list[Mutation]:
    """The forty of one vendor."""
    found = [
        Mutation(source, entity, field, change, _renamed(field, place) if change == RENAMED else "")
        for entity, fields in _FIELDS[source].items()
        for place, field in enumerate(fields)
        for change in MUTATED_AWAY
    ]
    found += [Mutation(source, entity, field, ADDED) for entity, field in _NEW[source]]
    # What a vendor does most: the same name in another style.
    entity, field = next((entity, fields[0]) for entity, fields in _FIELDS[source].items())
    return [*found, Mutation(source, entity, field, RENAMED, _restyled(field))]


def _renamed(field: str, place: int) -> str:
    """Every second field gets a name that is nothing like the old one."""
    name = field.rpartition(".")[2]
    return f"{name}_value" if place % 2 == 0 else f"x_{place}"


def _restyled(field: str) -> str:
    return f"primary_{field.rpartition('.')[2]}"
