"""What the publisher needs of HaloPSA: its verbs and an outcome.

Belongs here: the protocol that the client of `sources.halopsa` fulfils, and test doubles too. Does not: HTTP.
Surprise: a write returns, it never raises for what Halo said; `unknown` means that nobody may send it again unseen.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from sources.halopsa.audit import Trail
from sources.halopsa.client import WriteOutcome
from sources.halopsa.settings import Resource


class Halo(Protocol):
    """Reads raise `sources.http.VendorError` after their own retries."""

    def get(self, resource: Resource, record_id: int) -> dict[str, Any] | None:
        """One record in full, None where there is none."""

    def rows(self, resource: Resource, **filters: Any) -> list[dict[str, Any]]:
        """All rows of a narrow list (`client_id=`, `search=`), inactive ones included."""

    def walk(self, resource: Resource, **filters: Any) -> Iterable[list[Any]]:
        """Pages of a list, inactive ones included; rows are thinner than `get`. May end early: ask `get` what lacks."""

    def make_room(self, calls: int) -> None:
        """Wait until `calls` requests fit the rate limit at once, so that they leave without a pause in between."""

    def golden_id_field(self, resource: Resource) -> int | None:
        """Id of the custom field for the golden id; None where the tenant has not made it."""

    def changes_since(self, since: datetime, wanted: Mapping[str, Collection[int]]) -> Trail:
        """Changes of some records (resource -> ids) by HaloPSA's own change log."""

    def create(self, resource: Resource, fields: Mapping[str, Any]) -> WriteOutcome:
        """Create one record."""

    def update(self, resource: Resource, record_id: int, fields: Mapping[str, Any]) -> WriteOutcome:
        """Change the named fields of one record."""

    def update_many(self, resource: Resource, updates: Sequence[tuple[int, Mapping[str, Any]]]) -> list[WriteOutcome]:
        """Change many records in few requests; one outcome each, in the order given."""


__all__ = ["Halo", "WriteOutcome"]
