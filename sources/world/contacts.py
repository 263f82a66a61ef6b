"""What a vendor says of a person.

Belongs here: one vendor's contact records, neutral columns: employer, job, place, and what is left out or stale.
Does not: names (contact_names.py), ways to reach somebody (contact_channels.py), the wire shape (the simulators).
Surprise: columns are whole arrays and every phenomenon touches only its own rows, which keeps a million people within
minutes.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from sources.world import places, spelling
from sources.world.contact_channels import write_emails, write_linkedin, write_mobiles, write_phones
from sources.world.contact_names import write_names
from sources.world.dice import Bools, Ints, Objects, given, objects
from sources.world.frames import object_frame
from sources.world.names import strip_accents
from sources.world.organisations import company_id, moments
from sources.world.pen import Pen

CONTACT_COLUMNS = (
    "id",
    "person_id",
    "company_id",
    "organisation_id",
    "first_name",
    "middle_name",
    "last_name",
    "name_suffix",
    "email",
    "email_status",
    "phone",
    "phone_ext",
    "mobile",
    "phone_do_not_call",
    "mobile_do_not_call",
    "job_title",
    "seniority",
    "department",
    "linkedin_url",
    "street",
    "city",
    "state",
    "postcode",
    "country",
    "organisation_name",
    "organisation_domain",
    "organisation_phone",
    "region",
    "notice_date",
    "gender",
    "updated_at",
)


def person_id(row: int) -> str:
    """The world's own id of a person."""
    return f"p{row:07d}"


def make_contacts(pen: Pen, organisations: pd.DataFrame) -> pd.DataFrame:
    """All records, in the order of the holding; missing is None."""
    code = pen.people.code[pen.rows]
    company, stale = _employers(pen)
    first, middle, last, suffix, maiden = write_names(pen)
    email, status = write_emails(pen, company, stale, maiden, first, last)
    phone, extension = write_phones(pen, company, stale)
    columns = {
        "id": objects(pen.holding.contact_ids),
        "person_id": objects([person_id(row) for row in pen.rows.tolist()]),
        "company_id": objects([company_id(row) for row in pen.people.company[pen.rows].tolist()]),
        **_organisation(pen, company, organisations),
        "first_name": first,
        "middle_name": middle,
        "last_name": last,
        "name_suffix": suffix,
        "email": email,
        "email_status": status,
        "phone": phone,
        "phone_ext": extension,
        "mobile": write_mobiles(pen),
        "phone_do_not_call": _flags(pen, pen.people.phone_do_not_call, phone),
        "mobile_do_not_call": objects(pen.people.mobile_do_not_call[pen.rows].tolist()),
        **_jobs(pen, stale),
        "linkedin_url": write_linkedin(pen),
        **_addresses(pen),
        "country": objects([places.COUNTRIES[each].name for each in code.tolist()]),
        "region": _regions(pen, code),
        "notice_date": pen.people.notice_date[pen.rows],
        "gender": objects(np.where(pen.people.female[pen.rows], "female", "male").tolist()),
        "updated_at": moments(pen.stream("updated"), pen.count),
    }
    return object_frame({name: columns[name] for name in CONTACT_COLUMNS})


def _employers(pen: Pen) -> tuple[Ints, Bools]:
    """The employer each record names, and whether it is the one before the last move."""
    company = pen.people.company[pen.rows].copy()
    stale = np.zeros(pen.count, dtype=bool)
    still = pen.chance("stale job", pen.vendor.stale_job)
    old_job, known = pen.people.old_job, pen.holding.organisation_of
    for row in np.flatnonzero(still & np.isin(pen.rows, np.fromiter(old_job, np.int64, len(old_job)))).tolist():
        old = old_job[int(pen.rows[row])][0]
        if old in known:
            company[row], stale[row] = old, True
    pen.tag("stale_job", pen.rows[stale].tolist())
    return company, stale


def _flags(pen: Pen, flags: Bools, phone: Objects) -> Objects:
    out = objects(flags[pen.rows].tolist())
    out[~given(phone)] = False
    return out


def _organisation(pen: Pen, company: Ints, organisations: pd.DataFrame) -> dict[str, Objects]:
    ids = objects([pen.holding.organisation_of[row] for row in company.tolist()])
    told = organisations.iloc[: len(pen.holding.organisation_of)].set_index("id")
    spots = told.index.get_indexer(pd.Index(ids))
    columns = {f"organisation_{name}": told[name].to_numpy(dtype=object)[spots] for name in ("name", "domain", "phone")}
    ids[~pen.chance("organisation id", pen.vendor.organisation_id)] = None
    columns["organisation_domain"][pen.chance("domain missing", 0.05)] = None
    return {"organisation_id": ids, **columns}


def _jobs(pen: Pen, stale: Bools) -> dict[str, Objects]:
    people = pen.people
    title, seniority, department = (column[pen.rows] for column in (people.title, people.seniority, people.department))
    # A stale title is a colleague's rank: what the person did before the last promotion.
    before = np.flatnonzero(pen.chance("stale title", pen.profile.records["stale_title"]))
    title[before] = people.title[pen.rows[before] // 2]
    for row in np.flatnonzero(stale).tolist():
        title[row] = people.old_job[int(pen.rows[row])][2]
    pen.alter(title, "title", pen.chance("title spelling", 0.30), spelling.title_spelling)
    title[~pen.chance("title", pen.vendor.job_title)] = None
    seniority[~pen.chance("seniority", 0.92)] = None
    department[~pen.chance("department", 0.88)] = None
    return {"job_title": title, "seniority": seniority, "department": department}


def _addresses(pen: Pen) -> dict[str, Objects]:
    people = pen.people
    street, city, state, postcode = (
        column[pen.rows] for column in (people.street, people.city, people.state, people.postcode)
    )
    moved = np.flatnonzero(pen.chance("other office", pen.profile.records["other_office"]))
    other = pen.rows[moved] // 2  # somebody else's place: an old office, a home town
    city[moved], state[moved], street[moved], postcode[moved] = people.city[other], people.state[other], None, None
    has_street = pen.chance("street", pen.vendor.street)
    street[~has_street], postcode[~(has_street | pen.chance("postcode", 0.1))] = None, None
    pen.alter(city, "city accents", pen.chance("city accents", 0.4), lambda name, _: strip_accents(name))
    no_city = ~pen.chance("city", pen.vendor.city)
    city[no_city], state[no_city | pen.chance("state", 0.1)] = None, None
    return {"street": street, "city": city, "state": state, "postcode": postcode}


def _regions(pen: Pen, code: Objects) -> Objects:
    region = objects([None] * pen.count)
    region[np.isin(code, places.EU_CODES)] = "eu"
    region[code == "CA"] = "canada"
    region[(code == "US") & (pen.people.state[pen.rows] == "California")] = "california"
    return region
