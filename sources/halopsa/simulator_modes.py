"""The knobs of the simulated HaloPSA: each is a fact that nobody could confirm on a live tenant.

Belongs here: names, defaults, meanings. Does not: behaviour (`simulator*.py`).
Surprise: the default is the nastier variant wherever the real behaviour is unknown, so that what passes here has a
chance out there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True)
class HaloModes:
    """One simulated tenant."""

    tenant: str = "acme"
    client_id: str = "00000000-0000-4000-8000-000000000001"
    client_secret: str = "simulated-secret"
    granted_scope: str = "all"  # what the API application may ask for
    token_s: float = 3_600.0
    is_agent_restricted: bool = False  # reads come back empty instead of failing

    limit_calls: int | None = 300  # None: a self-hosted tenant
    limit_window_s: float = 300.0
    retry_after: Literal["absent", "seconds", "http-date"] = "absent"
    do_rejected_calls_count: bool = False
    concurrency_max: int | None = None  # more at once are answered 503
    latency: Literal["off", "realistic"] = "off"

    page_rows_max: int = 100  # 50 was seen as well
    past_end: Literal["repeat", "empty"] = "repeat"
    record_count_error: int = 0  # added to every `record_count`
    last_update_filter: Literal["ignored", "honoured"] = "ignored"
    list_cache_s: float = 0.0  # new rows appear in lists this late
    is_golden_id_searchable: bool = False  # in `advanced_search`
    is_detail_wrapped: bool = False  # GET of one record answers in the list's envelope

    created_status: int = 201
    custom_fields: Literal["replace", "merge"] = "replace"
    unknown_id: Literal["reject", "create"] = "reject"
    is_batch_atomic: bool = False
    is_returnall_supported: bool = True
    uniqueness: Literal["none", "unique_name_per_site", "unique_email_per_client"] = "none"
    mandatory_fields: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: {"Client": ("toplevel_id",)})

    audit: Literal["readable", "forbidden", "missing"] = "readable"
    audit_names: Literal["label", "api"] = "label"  # how the change log spells a field; no public source tells

    golden_id_field: str | None = "CFGoldenId"  # None: the admin has not made it
    user_typeid: int = 4  # of FieldInfo; unknown in public sources

    def custom_field_definitions(self) -> list[dict[str, Any]]:
        """FieldInfo: the golden id on all three, and one field each that people of the tenant use. Ids per tenant."""
        first_id = 100 + int.from_bytes(hashlib.sha256(self.tenant.encode()).digest()[:2], "big") % 400
        names = [
            ("Client", "CFAccountManager", "Account manager"),
            ("Site", "CFOpeningHours", "Opening hours"),
            ("Users", "CFPreferredName", "Preferred name"),
        ]
        if self.golden_id_field:
            names += [(resource, self.golden_id_field, "Golden id") for resource in ("Client", "Site", "Users")]
        typeids = {"Client": 2, "Site": 3, "Users": self.user_typeid}
        mine = [
            {"id": first_id + 3 * number, "name": name, "label": label, "type": 0, "typeid": typeids[resource]}
            for number, (resource, name, label) in enumerate(names)
        ]
        ticket = {"id": first_id + 50, "name": "CFGoldenId", "label": "Golden id", "type": 0, "typeid": 1}
        return [ticket, *mine]
