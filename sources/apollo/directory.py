"""What simulated Apollo holds at one moment: columns of the world, indexed for its filters.

Belongs here: reading the world's view once per round, filtering by Apollo's parameters. Does not: JSON shapes
(`shapes.py`), routes (`simulator.py`).
Surprise: unknown parameters are ignored without a word, as Apollo does; so `updated_since` filters nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from sources.apollo import shapes
from sources.columns import Columns

DOMAINS_MAX = 1_000
_MEMORY_MAX = 1_000  # remembered selections; a split walk asks for a few hundred, page after page


class BadFilter(Exception):
    """A filter that Apollo answers with 422; the text is Apollo's."""


class Directory:
    """People and companies of one round of the world."""

    def __init__(self, world: Any) -> None:
        self.people = Columns(world.contacts("apollo"))
        self.companies = Columns(world.organisations("apollo"))
        self._codes: dict[str, tuple[np.ndarray, dict[str, int]]] = {}
        self._headcount: np.ndarray | None = None
        self._remembered: dict[str, np.ndarray] = {}

    def employer_of(self, person: Mapping[str, Any]) -> dict[str, Any] | None:
        return self.companies.by_id(person["organisation_id"])

    def select(self, filters: Mapping[str, Any]) -> np.ndarray:
        """Places of the people who meet every filter, in the order of the world.

        Raises:
            BadFilter: a range that is no object, or too many domains.
        """
        known = {name: value for name, value in filters.items() if name in _FILTERS and value not in (None, [], "")}
        if isinstance(filters.get("revenue_range"), str):
            raise BadFilter("no implicit conversion of String into Integer")
        key = json.dumps(known, sort_keys=True, default=str)
        if key not in self._remembered:
            if len(self._remembered) >= _MEMORY_MAX:
                self._remembered.clear()
            mask = np.ones(self.people.rows, dtype=bool)
            for name, value in known.items():
                mask &= _FILTERS[name](self, value)
            self._remembered[key] = np.flatnonzero(mask)
        return self._remembered[key]

    def any_of(self, column: str, values: Any) -> np.ndarray:
        """Rows whose text equals one of the values, whatever the case."""
        codes, book = self._coded(column)
        asked = {book[text] for text in _texts(values) if text in book}
        return np.isin(codes, list(asked))

    def _coded(self, column: str) -> tuple[np.ndarray, dict[str, int]]:
        if column not in self._codes:
            folded = [str(value).casefold() if value is not None else "" for value in self._values(column)]
            codes, uniques = pd.factorize(np.array(folded, dtype=object))
            self._codes[column] = codes, {text: code for code, text in enumerate(uniques) if text}
        return self._codes[column]

    def _values(self, column: str) -> list[Any]:
        """A column of people, or `company.<column>` of their employers."""
        if not column.startswith("company."):
            return self.people.values[column]
        told = self.companies.values[column.removeprefix("company.")]
        places = (self.companies.place.get(company) for company in self.people.values["organisation_id"])
        return [None if place is None else told[place] for place in places]

    def of_size(self, ranges: Any) -> np.ndarray:
        """People whose employer's head count lies in one of the `"lo,hi"` ranges."""
        if self._headcount is None:
            self._headcount = np.array([value or 0 for value in self._values("company.employees")], dtype=np.int64)
        mask = np.zeros(self.people.rows, dtype=bool)
        for text in _texts(ranges):
            low, _, high = text.partition(",")
            if not low.strip().isdigit():
                raise BadFilter(f"Invalid range: {text}")
            top = int(high) if high.strip().isdigit() else np.iinfo(np.int64).max
            mask |= (self._headcount >= max(int(low), 1)) & (self._headcount <= top)
        return mask

    def with_words(self, column: str, values: Any) -> np.ndarray:
        """Rows whose text contains one of the values."""
        codes, book = self._coded(column)
        asked = [code for text, code in book.items() if any(value in text for value in _texts(values))]
        return np.isin(codes, asked)

    def at_domains(self, values: Any) -> np.ndarray:
        if len(_texts(values)) > DOMAINS_MAX:
            raise BadFilter(f"q_organization_domains_list can contain at most {DOMAINS_MAX} domains.")
        return self.any_of("company.domain", values)

    def with_email_status(self, values: Any) -> np.ndarray:
        words = {word for word, told in shapes.EMAIL_STATUS.items() if told in _texts(values)}
        return self.any_of("email_status", sorted(words))


def _texts(values: Any) -> list[str]:
    return [str(value).casefold() for value in (values if isinstance(values, list | tuple) else [values])]


def _located(directory: Directory, values: Any) -> np.ndarray:
    return directory.any_of("country", values) | directory.any_of("state", values) | directory.any_of("city", values)


_FILTERS: dict[str, Callable[[Directory, Any], np.ndarray]] = {
    "person_locations": _located,
    "person_seniorities": lambda directory, values: directory.any_of("seniority", values),
    "person_titles": lambda directory, values: directory.with_words("job_title", values),
    "organization_locations": lambda directory, values: directory.any_of("company.country", values),
    "organization_ids": lambda directory, values: directory.any_of("organisation_id", values),
    "organization_num_employees_ranges": Directory.of_size,
    "q_organization_domains_list": Directory.at_domains,
    "contact_email_status": Directory.with_email_status,
    "q_keywords": lambda directory, values: directory.with_words("job_title", values),
}
