"""Newcomers: people who join a company in a round of change.

Belongs here: drawing one and the record a vendor has of one. Does not: which vendors hear of it (changes.py).
Surprise: a newcomer's records are complete and spelt right, so that a test can name the golden record to expect.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import numpy as np

from sources.world import places
from sources.world.contacts import CONTACT_COLUMNS, person_id
from sources.world.dice import salt_of, scrambled
from sources.world.mailboxes import slug_of
from sources.world.names import pool
from sources.world.people import People
from sources.world.spelling import linkedin


def draw_newcomer(people: People, mate: int, row: int, rng: np.random.Generator, seed: int) -> dict[str, Any]:
    """A colleague of `mate` at the same place in the same department; e-mail and numbers are the caller's to give."""
    names, code = pool("us"), people.code[mate]
    female = bool(rng.integers(0, 2))
    firsts = names.first_female if female else names.first_male
    first = firsts[int(rng.integers(0, len(firsts)))]
    last = names.last[int(rng.integers(0, len(names.last)))]
    copied = ("company", "code", "title", "seniority", "department", "street", "city", "state", "postcode")
    return {
        **{name: getattr(people, name)[mate] for name in copied},
        "female": female,
        "first": first,
        "middle": None,
        "last": last,
        "suffix": None,
        "slug": slug_of(first, last, code, int(scrambled(np.array([row]), salt_of(seed, "slug"))[0])),
        "phone_do_not_call": False,
        "mobile_do_not_call": False,
        "notice_date": None,
    }


def newcomer_record(
    person: dict[str, Any], row: int, identifier: str, employer: dict[str, Any], at: datetime
) -> dict[str, Any]:
    """What a vendor says of a newcomer; `employer` is what it says of the company."""
    code = person["code"]
    region = "eu" if code in places.EU_CODES else "canada" if code == "CA" else None
    if code == "US" and person["state"] == "California":
        region = "california"
    return dict.fromkeys(CONTACT_COLUMNS) | {
        "id": identifier,
        "person_id": person_id(row),
        **employer,
        "first_name": person["first"],
        "last_name": person["last"],
        "email": person["email"],
        "email_status": "verified",
        "phone": person["direct"],
        "mobile": person["mobile"],
        "phone_do_not_call": False,
        "mobile_do_not_call": False,
        "job_title": person["title"],
        "seniority": person["seniority"],
        "department": person["department"],
        "linkedin_url": linkedin(person["slug"], 0),
        "city": person["city"],
        "state": person["state"],
        "country": places.COUNTRIES[code].name,
        "region": region,
        "gender": "female" if person["female"] else "male",
        "updated_at": at,
    }
