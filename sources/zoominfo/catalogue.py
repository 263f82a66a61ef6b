"""What simulated ZoomInfo holds at one moment: columns of the world, indexed for the search filters.

Belongs here: reading the world's view once a round, filters, values of look-ups. Does not: JSON shapes (`shapes.py`),
routes, credits and limits (`simulator.py`).
Surprise: a contact is located at its own address or at its employer's head office, as ZoomInfo has it by default; one
with neither matches no country, and one without a date matches no `lastUpdatedDateAfter`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from sources.columns import Columns
from sources.zoominfo.shapes import MANAGEMENT_LEVELS, accuracy, has_no_date

_SELECTIONS_MAX = 2_000


class UnknownFilter(Exception):
    """A search attribute ZoomInfo does not have; the text names it."""


class Catalogue:
    """Contacts and companies of one round of the world."""

    def __init__(self, world: Any) -> None:
        self.contacts = Columns(world.contacts("zoominfo"))
        self.companies = Columns(world.organisations("zoominfo"))
        self._selections: dict[tuple[Any, ...], np.ndarray] = {}
        self._ranks: dict[tuple[str, str], np.ndarray] = {}
        self._index = {"contact": self._contact_index(), "company": self._company_index()}

    def select(
        self, kind: str, query: Mapping[str, Any], managed: Callable[[], set[str]], version: int, sort: str = ""
    ) -> np.ndarray:
        """Places of the rows that meet every attribute. `version` changes whenever what `managed` gives does.

        Raises:
            UnknownFilter: an attribute that is no filter of this kind, or no key to sort by.
        """
        key: tuple[Any, ...] = (kind, sort, tuple(sorted((name, str(value)) for name, value in query.items())))
        if "underManagement" in query:
            key += (version,)
        if key not in self._selections:
            if len(self._selections) >= _SELECTIONS_MAX:
                self._selections.clear()
            self._selections[key] = self._sorted(kind, self._select(kind, query, managed), sort)
        return self._selections[key]

    def _sorted(self, kind: str, places: np.ndarray, sort: str) -> np.ndarray:
        name = sort.removeprefix("-")
        if not name:
            return places
        if name not in _SORTS[kind]:
            raise UnknownFilter(f"sort {name}")
        if (kind, name) not in self._ranks:
            columns = self.contacts if kind == "contact" else self.companies
            column = _SORTS[kind][name]
            values = self._index[kind][column] if column in self._index[kind] else columns.values[column]
            texts = np.array([str(value or "") for value in values])
            self._ranks[kind, name] = np.argsort(np.argsort(texts, kind="stable"), kind="stable")
        ordered = places[np.argsort(self._ranks[kind, name][places])]
        return ordered[::-1] if sort.startswith("-") else ordered

    def values(self, name: str) -> list[str] | None:
        """Allowed values of a filter, None where there is no such list."""
        index = self._index["contact"]
        if name == "management-levels":
            return sorted(set(MANAGEMENT_LEVELS.values()))
        column = {"countries": ("country", "hq_country"), "states": ("state", "hq_state")}.get(name)
        if column is None:
            return None
        companies = self._index["company"][column[0]]
        return sorted({value for part in (index[column[0]], index[column[1]], companies) for value in part if value})

    def _select(self, kind: str, query: Mapping[str, Any], managed: Callable[[], set[str]]) -> np.ndarray:
        columns = self.contacts if kind == "contact" else self.companies
        index = self._index[kind]
        mask = np.ones(columns.rows, dtype=bool)
        for name, value in query.items():
            if name == "underManagement":
                bought = managed()
                is_managed = np.array([row_id in bought for row_id in columns.values["id"]], dtype=bool)
                mask &= is_managed == bool(value)
            elif name in _FILTERS and (name in _BOTH or kind == "contact"):
                mask &= _FILTERS[name](index, value)
            else:
                raise UnknownFilter(name)
        return np.flatnonzero(mask)

    def _contact_index(self) -> dict[str, np.ndarray]:
        contacts, companies = self.contacts, self.companies
        places = [companies.place.get(row_id) for row_id in contacts.values["organisation_id"]]

        def of_company(name: str) -> np.ndarray:
            told = companies.values[name]
            return np.array([None if place is None else told[place] for place in places], dtype=object)

        dated = [None if has_no_date(row_id) else row_id for row_id in contacts.values["id"]]
        days = pd.to_datetime(pd.Series(contacts.values["updated_at"]), utc=True).dt.strftime("%Y-%m-%d").to_numpy()
        return {
            "id": _objects(contacts.values["id"]),
            "country": _objects(contacts.values["country"]),
            "hq_country": of_company("country"),
            "state": _objects(contacts.values["state"]),
            "hq_state": of_company("state"),
            "level": np.array(
                [MANAGEMENT_LEVELS.get(word or "") for word in contacts.values["seniority"]], dtype=object
            ),
            "day": np.array([day if row_id else "" for day, row_id in zip(days, dated, strict=True)], dtype=object),
            "company": _objects(contacts.values["organisation_id"]),
            "employees": _numbers(of_company("employees")),
            "score": np.array([accuracy(row) for row in self._scored_rows()], dtype=np.int64),
        }

    def _scored_rows(self) -> Iterator[dict[str, Any]]:
        pairs = zip(self.contacts.values["id"], self.contacts.values["email_status"], strict=True)
        return ({"id": row_id, "email_status": status} for row_id, status in pairs)

    def _company_index(self) -> dict[str, np.ndarray]:
        companies = self.companies
        return {
            "country": _objects(companies.values["country"]),
            "state": _objects(companies.values["state"]),
            "company": _objects(companies.values["id"]),
            "employees": _numbers(_objects(companies.values["employees"])),
        }


def _objects(values: list[Any]) -> np.ndarray:
    return np.array(values, dtype=object)


def _numbers(values: np.ndarray) -> np.ndarray:
    return np.array([np.nan if value is None else float(value) for value in values])


def _listed(value: Any) -> list[str]:
    """ZoomInfo takes lists as text with commas."""
    parts = value if isinstance(value, list) else str(value).split(",")
    return [str(part).strip() for part in parts]


def _located(column: str) -> Callable[[Mapping[str, np.ndarray], Any], np.ndarray]:
    def matches(index: Mapping[str, np.ndarray], value: Any) -> np.ndarray:
        wanted = _listed(value)
        own = index[column]
        if f"hq_{column}" not in index:
            return np.isin(own, wanted)
        return np.isin(np.where(own == None, index[f"hq_{column}"], own), wanted)  # noqa: E711 (elementwise)

    return matches


def _score(value: Any) -> int:
    """A lower bound of scores. Raises ValueError outside of what ZoomInfo takes."""
    if not 70 <= int(value) <= 99:
        raise ValueError(value)
    return int(value)


_FILTERS: dict[str, Callable[[Mapping[str, np.ndarray], Any], np.ndarray]] = {
    "country": _located("country"),
    "state": _located("state"),
    "managementLevel": lambda index, value: np.isin(index["level"], _listed(value)),
    "companyId": lambda index, value: np.isin(index["company"], _listed(value)),
    "lastUpdatedDateAfter": lambda index, value: index["day"] > str(value)[:10],
    "employeeRangeMin": lambda index, value: index["employees"] >= float(value),
    "employeeRangeMax": lambda index, value: index["employees"] <= float(value),
    "contactAccuracyScoreMin": lambda index, value: index["score"] >= _score(value),
}
# Column of the world, or of the index; scores have two digits, so as texts they sort as they do as numbers.
_SORTS = {
    "contact": {"lastName": "last_name", "companyName": "organisation_name", "contactAccuracyScore": "score"},
    "company": {"name": "name"},
}
_BOTH = frozenset({"country", "state", "companyId", "employeeRangeMin", "employeeRangeMax"})
