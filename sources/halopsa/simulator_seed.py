"""The first content of a simulated tenant: the world's view of HaloPSA, brought into Halo's own records.

Belongs here: neutral rows -> clients, main sites, users. Does not: inventing anything (`sources/world`).
Surprise: every third client has a value in a custom field that only people use; a write that sends our custom field
alone wipes it, and the test that looks for it fails.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from sources.halopsa.fields import ADDRESS_LINES
from sources.halopsa.simulator_modes import HaloModes
from sources.halopsa.simulator_records import HaloFixture, Row

_SEEDED_AT = "2025-03-01T09:00:00"


def fixture_of(world: Any, modes: HaloModes) -> HaloFixture:
    """The fixture for a world: its clients, the main site each of them has, and the people on it."""
    clients, users = _frames(world.halo())
    fixture = HaloFixture()
    human_field = next(item["id"] for item in modes.custom_field_definitions() if item["name"] == "CFAccountManager")
    site_ids: dict[int, int] = {}
    for site_id, client in enumerate(_rows(clients), start=1):
        client_id = int(client["client_id"])
        site_ids[client_id] = site_id
        fixture.clients.append(_client(client, client_id, site_id, human_field))
        fixture.sites.append(_site(client, client_id, site_id))
    fixture.users = [_user(user, site_ids[int(user["client_id"])]) for user in _rows(users)]
    return fixture


def _frames(halo: Any) -> tuple[pd.DataFrame, pd.DataFrame]:
    return (halo["clients"], halo["users"]) if isinstance(halo, dict) else (halo.clients, halo.users)


def _rows(frame: pd.DataFrame) -> list[Row]:
    """Records with None for every kind of missing."""
    return [
        {str(name): None if _is_missing(value) else value for name, value in row.items()}
        for row in frame.to_dict("records")
    ]


def _is_missing(value: Any) -> bool:
    return value is None or value is pd.NA or (isinstance(value, float) and value != value)


def _client(client: Row, client_id: int, site_id: int, human_field: int) -> Row:
    return {
        "id": client_id,
        "name": client["name"],
        "website": client["website"] or "",
        "domain": client.get("domain") or "",
        "toplevel_id": 1,
        "inactive": bool(client["inactive"]),
        "main_site_id": site_id,
        "_custom": {str(human_field): f"Agent {client_id % 7}"} if client_id % 3 == 0 else {},
        **_stamps(),
    }


def _site(client: Row, client_id: int, site_id: int) -> Row:
    address = {line: client.get(ours) or "" for ours, line in ADDRESS_LINES.items()}
    return {
        "id": site_id,
        "name": "Main",
        "client_id": client_id,
        "phonenumber": client["phone"] or "",
        "delivery_address": {"line1": "", "line2": "", "line3": "", "line4": "", **address},
        "inactive": bool(client["inactive"]),
        **_stamps(),
    }


def _user(user: Row, site_id: int) -> Row:
    first, last = user["firstname"] or "", user["surname"] or ""
    is_general = bool(user["is_general_user"])
    row = {
        "id": int(user["user_id"]),
        "site_id": site_id,
        "name": "General User" if is_general else f"{first} {last}".strip(),
        "firstname": first,
        "surname": last,
        "emailaddress": user["emailaddress"] or "",
        "phonenumber": user["phonenumber"] or "",
        "mobilenumber": user["mobile"] or "",
        "title": user["title"] or "",
        "inactive": bool(user["inactive"]),
        **_stamps(),
    }
    return row | {"_general": True} if is_general else row


def _stamps() -> Row:
    return {"_created": _SEEDED_AT, "_updated": _SEEDED_AT}
