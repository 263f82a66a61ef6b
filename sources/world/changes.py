"""A round of change: who changes, how, and what every vendor then says.

Belongs here: one round. Does not: the first day's values (people.py, contacts.py).
Surprise: a change is written as the plain true value into every record of the person, so that a test can name exactly
the golden fields that must differ; people are changed at most once a round.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sources.world import places
from sources.world.contacts import CONTACT_COLUMNS, person_id
from sources.world.dice import Ints, given, objects, stream
from sources.world.mailboxes import local_part
from sources.world.names import pool
from sources.world.newcomers import draw_newcomer, newcomer_record
from sources.world.organisations import ORGANISATION_COLUMNS, company_id
from sources.world.profile import SOURCES
from sources.world.titles import titles
from sources.world.vendor_table import VendorTable
from sources.world.vendors import contact_id

if TYPE_CHECKING:
    from sources.world.world import World

_KINDS = ("title", "phone", "mobile", "email", "surname", "job_move", "newcomer")
_KIND_SHARES = np.cumsum((0.30, 0.15, 0.13, 0.12, 0.05, 0.17, 0.08))
_COMPANY_KINDS = ("company_phone", "company_address", "company_name")
_COMPANIES_PER_PERSON = 0.03
_SMALL_COMPANY = 8  # people; a company's change touches every record that names it, and each costs a credit


@dataclass(frozen=True)
class Change:
    """One field of one true entity. `field` is a column of the views, or `record` for a newcomer."""

    kind: str
    entity_id: str
    field: str
    old: Any
    new: Any

    @property
    def entity(self) -> str:
        """contact or organisation."""
        return "contact" if self.entity_id.startswith("p") else "organisation"


class Round:
    """One round on one world; used once."""

    def __init__(self, world: World, number: int, at: datetime) -> None:
        self.world, self.at = world, at
        self.rng = stream(world.seed, f"round {number}")
        self.contacts = {
            source: VendorTable(world.contacts(source), CONTACT_COLUMNS, world.holdings[source].person)
            for source in SOURCES
        }
        self.organisations = {
            source: VendorTable(world.organisations(source), ORGANISATION_COLUMNS, world.holdings[source].company)
            for source in SOURCES
        }
        self.changes: list[Change] = []
        self._emails = set(world.people.email.tolist())
        self._serials = _next_serials(world)
        self._new_rows: dict[str, tuple[list[str], list[int]]] = {source: ([], []) for source in SOURCES}
        self._new_people: list[dict[str, Any]] = []

    def run(self, share: float) -> list[Change]:
        """Choose people and companies and alter them."""
        tables = self.contacts.values()
        held = np.unique(np.concatenate([table.entity_rows for table in tables]))
        count = min(len(held), max(1, round(share * self.world.size)))
        chosen = self.rng.permutation(held)[:count]
        where = _positions(chosen, self.contacts)
        kinds = np.searchsorted(_KIND_SHARES / _KIND_SHARES[-1], self.rng.random(count), side="right")
        for person, kind in zip(chosen.tolist(), kinds.tolist(), strict=True):
            self._person(_KINDS[kind], person, where[person])
        self._companies(max(1, round(count * _COMPANIES_PER_PERSON)), chosen)
        self._append_people()
        return self.changes

    def frames(self) -> dict[tuple[str, str], pd.DataFrame]:
        """The vendors' views after the round."""
        out = {(source, "contact"): table.frame(CONTACT_COLUMNS) for source, table in self.contacts.items()}
        return out | {
            (source, "organisation"): table.frame(ORGANISATION_COLUMNS) for source, table in self.organisations.items()
        }

    def newcomers(self) -> dict[str, tuple[list[str], Ints]]:
        """Vendor -> ids and person rows of the new records."""
        return {source: (ids, np.array(rows, dtype=np.int64)) for source, (ids, rows) in self._new_rows.items()}

    def _person(self, kind: str, person: int, spots: dict[str, list[int]]) -> None:
        people = self.world.people
        if kind == "surname" and not self._has_plain_surname(person, spots):
            kind = "title"
        if kind == "title":
            self._set(kind, person, spots, job_title=self._title(person, spots))
        elif kind == "phone":
            self._set(kind, person, spots, phone=self._number(people.code[person], mobile=False), phone_ext=None)
        elif kind == "mobile":
            self._set(kind, person, spots, mobile=self._number(people.code[person], mobile=True))
        elif kind == "email":
            email = self._email(person, int(people.company[person]))
            self._set(kind, person, spots, email=email, email_status="verified")
        elif kind == "surname":
            names = [name for name in pool("gb").last.tolist()[:400] if name != people.last[person]]
            self._set(kind, person, spots, last_name=names[int(self.rng.integers(0, len(names)))])
        elif kind == "job_move":
            self._move(person, spots)
        else:
            self._newcomer(person)

    def _set(self, kind: str, person: int, spots: dict[str, list[int]], **values: Any) -> None:
        """Write values into every record of the person and into the truth, and note what differs."""
        people = self.world.people
        truth = {
            "job_title": people.title,
            "mobile": people.mobile,
            "email": people.email,
            "last_name": people.last,
            "phone": people.direct,
        }
        for name, new in values.items():
            before = [self.contacts[source].columns[name][row] for source, rows in spots.items() for row in rows]
            if all(each == new for each in before):
                continue
            # Vendors may have told different things: then `old` names them all.
            told = ", ".join(sorted({str(each) for each in before}))
            old = truth[name][person] if name in truth else None if told == "None" else told
            self.changes.append(Change(kind, person_id(person), name, old, new))
        for source, rows in spots.items():
            for row in rows:
                self.contacts[source].write(row, self.at, **values)
        for name, column in truth.items():
            if name in values:
                column[person] = values[name]

    def _has_plain_surname(self, person: int, spots: dict[str, list[int]]) -> bool:
        """True where every record has the surname in its place, so that only one field need change."""
        last = self.world.people.last[person]
        return all(
            self.contacts[source].columns["last_name"][row] == last for source, rows in spots.items() for row in rows
        )

    def _title(self, person: int, spots: dict[str, list[int]]) -> str:
        """Another title of the same seniority and department, new to every record."""
        people = self.world.people
        told = {self.contacts[source].columns["job_title"][row] for source, rows in spots.items() for row in rows}
        choices = [
            title
            for title in titles(people.department[person], people.seniority[person])
            if title not in told | {people.title[person]}
        ] or ["Adviser"]
        return choices[int(self.rng.integers(0, len(choices)))]

    def _number(self, code: str, *, mobile: bool) -> str:
        serial = self._serials[code, mobile]
        self._serials[code, mobile] += 1
        return places.phone_number(code, serial, mobile=mobile)

    def _email(self, person: int, company: int) -> str:
        people, employer = self.world.people, self.world.companies[company]
        return self._mailbox(
            people.first[person], people.last[person], people.code[person], employer.pattern, employer.domain
        )

    def _mailbox(self, first: str, last: str, code: str, pattern: int, domain: str) -> str:
        local = local_part(pattern, first, last, code)
        serial, address = 2, f"{local}@{domain}"
        while address in self._emails:
            serial, address = serial + 1, f"{local}{serial}@{domain}"
        self._emails.add(address)
        return address

    def _move(self, person: int, spots: dict[str, list[int]]) -> None:
        """A new employer that all the person's vendors know; new address, title and switchboard."""
        company = self._employer_known_to([self.world.holdings[source].organisation_of for source in spots], person)
        if company is None:
            self._set("title", person, spots, job_title=self._title(person, spots))
            return
        employer = self.world.companies[company]
        number = employer.phone
        self._set(
            "job_move",
            person,
            spots,
            company_id=company_id(company),
            email=self._email(person, company),
            email_status="verified",
            job_title=self._title(person, spots),
            phone=number,
            phone_ext=None,
        )
        for source, rows in spots.items():
            for row in rows:
                self.contacts[source].write(row, self.at, **self._employer(source, company))
        self.world.people.company[person] = company
        self.world.people.direct[person] = None

    def _employer_known_to(self, known: list[dict[int, str]], person: int) -> int | None:
        """Another company that all these vendors hold, drawn evenly; None where a tiny world has none to find."""
        for _ in range(200):
            company = int(self.rng.integers(0, len(self.world.companies)))
            if company != self.world.people.company[person] and all(company in ids for ids in known):
                return company
        return None

    def _employer(self, source: str, company: int) -> dict[str, Any]:
        """What a vendor's contact says of its employer."""
        identifier = self.world.holdings[source].organisation_of[company]
        table = self.organisations[source]
        row = int(np.flatnonzero(table.entity_rows == company)[0])
        told = {f"organisation_{name}": table.columns[name][row] for name in ("name", "domain", "phone")}
        return {"organisation_id": identifier, "company_id": company_id(company), **told}

    def _newcomer(self, mate: int) -> None:
        """A new colleague of `mate`, held by some of the vendors that hold the company."""
        people, company = self.world.people, int(self.world.people.company[mate])
        employer, code = self.world.companies[company], self.world.people.code[mate]
        row = len(people) + len(self._new_people)
        person = draw_newcomer(people, mate, row, self.rng, self.world.seed)
        person["email"] = self._mailbox(person["first"], person["last"], code, employer.pattern, employer.domain)
        person["direct"], person["mobile"] = self._number(code, mobile=False), self._number(code, mobile=True)
        self._new_people.append(person)
        holders = [source for source in SOURCES if company in self.world.holdings[source].organisation_of]
        told = [source for source in holders if self.rng.random() < 0.6] or holders[:1]
        for source in told:
            identifier = contact_id(source, row, self.world.seed)
            record = newcomer_record(person, row, identifier, self._employer(source, company), self.at)
            self.contacts[source].added.append(record)
            self._new_rows[source][0].append(identifier)
            self._new_rows[source][1].append(row)
        self.changes.append(Change("newcomer", person_id(row), "record", None, ",".join(told)))

    def _append_people(self) -> None:
        if not self._new_people:
            return
        people = self.world.people
        for name in self._new_people[0]:
            column = getattr(people, name)
            values = [each[name] for each in self._new_people]
            added = objects(values) if column.dtype == object else np.array(values, dtype=column.dtype)
            setattr(people, name, np.concatenate([column, added]))

    def _companies(self, count: int, chosen: Ints) -> None:
        """Small companies whose every vendor also holds a contact there, none of them chosen."""
        busy = set(self.world.people.company[chosen].tolist())
        named = {source: set(table.columns["organisation_id"].tolist()) for source, table in self.contacts.items()}
        order = self.rng.permutation(len(self.world.companies)).tolist()
        done = 0
        for company in order:
            ids = {
                source: known[company]
                for source in SOURCES
                if company in (known := self.world.holdings[source].organisation_of)
            }
            is_small = self.world.companies[company].people <= _SMALL_COMPANY
            if (
                company in busy
                or not ids
                or not is_small
                or not all(each in named[source] for source, each in ids.items())
            ):
                continue
            self._company(_COMPANY_KINDS[done % 3], company, ids)
            done += 1
            if done == count:
                return

    def _company(self, kind: str, company: int, ids: dict[str, str]) -> None:
        truth = self.world.companies[company]
        if kind == "company_phone":
            field, old, new = "phone", truth.phone, self._number(truth.code, mobile=False)
            truth.phone = new
        elif kind == "company_address":
            field, old, new = "street", truth.street, places.street(truth.code, int(self.rng.integers(0, 2**31)))
            truth.street = new
        else:
            field, old = "name", truth.name
            truth.core = (
                f"{truth.core} Group" if not truth.core.endswith("Group") else truth.core.removesuffix(" Group")
            )
            new = truth.name
        self.changes.append(Change(kind, company_id(company), field, old, new))
        for source, identifier in ids.items():
            table, contacts = self.organisations[source], self.contacts[source]
            for row in np.flatnonzero(table.entity_rows == company).tolist():
                table.write(row, self.at, **{field: new})
            nested = {f"organisation_{field}": new} if field in ("name", "phone") else {}
            for row in np.flatnonzero(contacts.columns["organisation_id"] == identifier).tolist():
                contacts.write(row, self.at, **nested)


def _positions(chosen: Ints, tables: dict[str, VendorTable]) -> dict[int, dict[str, list[int]]]:
    """person row -> vendor -> rows of that person's records."""
    out: dict[int, dict[str, list[int]]] = {person: {} for person in chosen.tolist()}
    for source, table in tables.items():
        hits = np.flatnonzero(np.isin(table.entity_rows, chosen))
        for row, person in zip(hits.tolist(), table.entity_rows[hits].tolist(), strict=True):
            out[person].setdefault(source, []).append(row)
    return out


def _next_serials(world: World) -> dict[tuple[str, bool], int]:
    """The first serial number nobody has, by country and kind, with room for what earlier rounds gave out."""
    out = {}
    spent = sum(max(1, round(share * world.size)) * 3 for share, _ in world.rounds)
    for code in places.CODES:
        here = world.people.code == code
        fixed = sum(company.code == code for company in world.companies) + int(
            (here & given(world.people.direct)).sum()
        )
        out[code, False] = fixed + spent
        out[code, True] = int((here & given(world.people.mobile)).sum()) + spent
    return out
