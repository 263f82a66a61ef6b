"""Forty defects to plant in a warehouse, each with the number that must tell it, to the unit.

Belongs here: the list: what is done to the tables, and which number must move by how much. Does not: warehouses (bench
quality, tests), judging.
Surprise: defects are planted by SQL on the tables that a run made, not on the vendors: what is tested is whether the
report counts, and a vendor's error would be changed on its way there by cleaning and matching.
"""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

SIZES = (1, 3, 7, 20)


@dataclass(frozen=True)
class Kind:
    """`plant` has {n} for the size; `number_id` is the number that must rise by n (fall, where `sign` is -1)."""

    name: str
    section: str
    number_id: str
    plant: str
    sign: int = 1


@dataclass(frozen=True)
class Defect:
    """A kind at a size."""

    kind: Kind
    size: int

    @property
    def name(self) -> str:
        return f"{self.kind.name} x {self.size}"

    def plant(self, connection: duckdb.DuckDBPyConnection) -> None:
        for statement in self.kind.plant.format(n=self.size).split(";"):
            if statement.strip():
                connection.execute(statement)


def _some(table: str, key: str, where: str) -> str:
    """The first {n} keys of a table, in their order."""
    return f"(select {key} from {table} where {where} order by {key} limit {{n}})"


_APOLLO = "source = 'apollo'"
_ONE_MAILBOX = (
    "(select max(email) from golden.contact where not regexp_matches(email, '^(info|sales|office|contact)@'))"
)
KINDS = (
    Kind(
        "a value is lost",
        "R2",
        "missing/contact/apollo/city",
        "update standardised.contact set city = null where record_key in "
        + _some("standardised.contact", "record_key", f"{_APOLLO} and city is not null"),
    ),
    Kind(
        "an e-mail cannot be delivered",
        "R3",
        "invalid/contact/apollo/email.undeliverable",
        "update standardised.contact set email_status = 'invalid' where record_key in "
        + _some("standardised.contact", "record_key", f"{_APOLLO} and email is not null and email_status = 'verified'"),
    ),
    Kind(
        "nothing is left of a phone number",
        "R3",
        "invalid/contact/apollo/phone.unusable",
        "update standardised.contact_input set phone = '12' where record_key in "
        + _some("standardised.contact", "record_key", f"{_APOLLO} and phone is null"),
    ),
    Kind(
        "a golden e-mail is there twice",
        "R4",
        "duplicate/contact//same_email",
        f"update golden.contact set email = {_ONE_MAILBOX} where golden_id in "
        + _some(
            "golden.contact",
            "golden_id",
            f"email is null or email <> {_ONE_MAILBOX} "
            "and email in (select email from golden.contact group by email having count(*) = 1)",
        ),
    ),
    Kind(
        "a golden record flaps",
        "R6",
        "flapping/contact",
        "insert into ops.feed (seq, golden_id, entity, version, change_kind, content_hash) "
        "select 1000 + step, golden_id, 'contact', 1 + step, 'altered', "
        "case when step = 2 then head.content_hash else 'B' end "
        "from (select golden_id, content_hash from ops.feed where entity = 'contact' order by 1 limit {n}) as head "
        "cross join (select 1 as step union all select 2 as step) as steps",
    ),
    Kind(
        "a row is not let in",
        "R12",
        "quarantined/contact/apollo/email: too long",
        "insert into raw_apollo.quarantine "
        "(id, entity, field, reason, remedy, payload, fetched_at, _dlt_load_id, _dlt_id) "
        "select 'planted' || range, 'contact', 'email', 'too long', '', '', now(), '', '' from range({n})",
    ),
    Kind(
        "HaloPSA refuses",
        "R11",
        "outbox_rejected/contact//mandatory_field",
        "update ops.outbox set state = 'rejected', error_class = 'mandatory_field' where golden_id in "
        + _some("ops.outbox", "golden_id", "entity = 'contact' and state = 'published'"),
    ),
    Kind(
        "an outcome is unknown",
        "R11",
        "effect_unknown/contact",
        "update ops.effect set state = 'unknown', settled_at = null where effect_id in "
        + _some("ops.effect", "effect_id", "entity = 'contact' and state = 'acked'"),
    ),
    Kind(
        "a notice is due",
        "R14",
        "notice_due/contact//eu",
        "update golden.contact set notice_date = null, region = 'eu' where golden_id in "
        + _some("golden.contact", "golden_id", "region is distinct from 'eu'"),
    ),
    Kind(
        "a golden record vanishes",
        "R1",
        "unexplained/contact//4",
        "delete from golden.contact where golden_id in " + _some("golden.contact", "golden_id", "true"),
    ),
)
DEFECTS = tuple(Defect(kind, size) for kind in KINDS for size in SIZES)
