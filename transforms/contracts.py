"""Table contracts: the columns that rooms hand to each other, their types, meanings and rules.

Belongs here: what a table *is* (grain, key, columns, comment, checks). Column comments live here once; the warehouse's
COMMENTs, Dagster's column schema, the checks and the data dictionary are all made from it.
Does not: how a table is made (`transforms/sql`, `transforms/kernels`), which values survive (`survivorship/`).
Surprise: the *input* contracts are also the pinned columns of `halosync resolve`: everything a vendor says is first
brought into that shape, so vendors and files take one path.
"""

from __future__ import annotations

from dataclasses import dataclass

ENTITIES = ("organisation", "contact")

# E-mail status, one vocabulary for all vendors. Only `verified` and `risky` (a catch-all domain) may be published.
EMAIL_STATUSES = ("verified", "risky", "guessed", "invalid", "unknown")


@dataclass(frozen=True)
class Column:
    """One column; `type` is a DuckDB type that Spark knows too (varchar, bigint, boolean, timestamp, date, double)."""

    name: str
    type: str
    comment: str
    required: bool = False


@dataclass(frozen=True)
class Table:
    """One table: `name` is `schema.table`, `key` its unique columns, `comment` starts with the grain."""

    name: str
    key: tuple[str, ...]
    comment: str
    columns: tuple[Column, ...]

    @property
    def column_names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)


def _text(name: str, comment: str, *, required: bool = False) -> Column:
    return Column(name, "varchar", comment, required)


_RECORD = (
    _text("record_key", "source:id, the key of a source record", required=True),
    _text("source", "apollo, zoominfo, uplead, or whatever a file says", required=True),
    _text("source_id", "the vendor's own id, always text", required=True),
)

_CONTACT_INPUT = (
    _text("first_name", "given name as the source spells it"),
    _text("middle_name", "middle name or initial"),
    _text("last_name", "family name"),
    _text("name_suffix", "Jr, Sr, III"),
    _text("full_name", "whole name, used where the parts are missing"),
    _text("email", "one address; placeholders are already null"),
    _text("phone", "office or direct line"),
    _text("mobile", "mobile line"),
    _text("job_title", "title as the source spells it"),
    _text("organisation_name", "employer's name"),
    _text("organisation_domain", "employer's domain or website"),
    _text("linkedin_url", "profile address"),
    _text("street", "street and number"),
    _text("city", "city"),
    _text("state", "state, county or province"),
    _text("postcode", "postal code"),
    _text("country", "name or ISO code"),
    _text("date_of_birth", "ISO date; only files have it"),
    _text("external_id", "a customer, tax or register number: strong but noisy evidence, never a key"),
)

# Carried through to golden, no evidence for matching; `resolve FILE` leaves them null.
_CONTACT_CARRIED = (
    _text("organisation_key", "record_key of the employer at the same source"),
    _text("email_status", "verified, risky, guessed, invalid or unknown"),
    _text("seniority", "owner, c_suite, vp, director, manager, senior or entry"),
    _text("department", "department or job function"),
    Column("phone_do_not_call", "boolean", "the source says: do not call `phone`"),
    Column("mobile_do_not_call", "boolean", "the source says: do not call `mobile`"),
    _text("region", "privacy region: eu, california, canada or null"),
    _text("notice_date", "ISO date on which the person was given notice of the processing"),
    Column("source_updated_at", "timestamp", "UTC; last change at the source, null where it does not say"),
)

_ORGANISATION_INPUT = (
    _text("name", "name as the source spells it"),
    _text("domain", "domain"),
    _text("website", "web address"),
    _text("phone", "main line"),
    _text("email", "general address"),
    _text("street", "street and number"),
    _text("city", "city"),
    _text("state", "state, county or province"),
    _text("postcode", "postal code"),
    _text("country", "name or ISO code"),
    _text("linkedin_url", "company page"),
    _text("industry", "industry in the source's words"),
    _text("employees", "head count: a number or a band such as 51-200"),
    _text("external_id", "a tax or register number: strong but noisy evidence, never a key"),
)

_ORGANISATION_CARRIED = (
    _text("parent_key", "record_key of the parent at the same source"),
    Column("source_updated_at", "timestamp", "UTC; last change at the source, null where it does not say"),
)

_STANDARDISED_END = (
    Column("rid", "bigint", "60 bits of sha-256 of record_key: the record's number while matching", required=True),
    _text("input_hash", "md5 of what the source said: unchanged means not standardised again"),
    _text("content_hash", "sha-256 of all columns but the key, rid and input_hash", required=True),
)

CONTACT_INPUT = Table(
    "standardised.contact_input",
    ("record_key",),
    "One row per contact of one source, in the source's own spelling.",
    _RECORD + _CONTACT_INPUT + _CONTACT_CARRIED,
)
ORGANISATION_INPUT = Table(
    "standardised.organisation_input",
    ("record_key",),
    "One row per organisation of one source, in the source's own spelling; organisations a source names only beside a "
    "contact are included under source:domain:… or source:name:…",
    _RECORD + _ORGANISATION_INPUT + _ORGANISATION_CARRIED,
)

STANDARDISED_CONTACT = Table(
    "standardised.contact",
    ("record_key",),
    "One row per contact of one source, cleaned, typed and folded. *_fold columns are lower-case ASCII for matching.",
    (
        *_RECORD,
        *_CONTACT_INPUT,  # cleaned: E-mail lower case, phones E.164, country ISO alpha-2, linkedin_url a full https URL
        *_CONTACT_CARRIED,
        _text("first_fold", "first name folded: lower-case ASCII letters, one space between words"),
        _text("middle_fold", "middle name folded"),
        _text("last_fold", "last name folded, particles kept"),
        _text("suffix_fold", "jr, sr, 2, 3, 4 or null"),
        _text("email_local", "local part of email, sub-address (+tag) removed"),
        _text("email_domain", "domain of email"),
        _text("phone_ext", "extension of phone"),
        _text("linkedin_slug", "last path element of the profile address, lower case"),
        _text("organisation_fold", "employer's name folded, legal form removed"),
        _text("organisation_site", "employer's registrable domain"),
        _text("title_fold", "job title folded, abbreviations expanded"),
        _text("street_fold", "street folded, abbreviations normalised"),
        _text("city_fold", "city folded"),
        _text("postcode_fold", "postal code, letters and digits only, lower case"),
        _text("state_fold", "state folded to its code where known"),
        *_STANDARDISED_END,
    ),
)
STANDARDISED_ORGANISATION = Table(
    "standardised.organisation",
    ("record_key",),
    "One row per organisation of one source, cleaned, typed and folded.",
    (
        *_RECORD,
        *_ORGANISATION_INPUT,  # cleaned as above; domain is the registrable domain (from domain, else website)
        *_ORGANISATION_CARRIED,
        Column("employees_min", "bigint", "lower bound of the head count"),
        Column("employees_max", "bigint", "upper bound of the head count, null where open"),
        _text("name_fold", "name folded, legal form removed"),
        _text("legal_form", "ltd, inc, gmbh, … folded, null where none"),
        _text("email_domain", "domain of email"),
        _text("linkedin_slug", "last path element of the company page, lower case"),
        _text("street_fold", "street folded, abbreviations normalised"),
        _text("city_fold", "city folded"),
        _text("postcode_fold", "postal code, letters and digits only, lower case"),
        _text("state_fold", "state folded to its code where known"),
        *_STANDARDISED_END,
    ),
)

_GOLDEN_END = (
    _text("sources", "the contributing sources, sorted, comma between"),
    Column("record_count", "bigint", "how many source records stand behind it"),
    _text("content_hash", "sha-256 of golden_id, all value columns and sources", required=True),
    Column("updated_at", "timestamp", "UTC time of the last change of content_hash, not of the last run"),
)

GOLDEN_CONTACT = Table(
    "golden.contact",
    ("golden_id",),
    "One row per person: what survives from the cluster of source records.",
    (
        _text("golden_id", "stable for life, con_ + 20 hex", required=True),
        _text("organisation_golden_id", "the golden organisation this person works for"),
        _text("first_name", "given name"),
        _text("middle_name", "middle name"),
        _text("last_name", "family name"),
        _text("name_suffix", "Jr, Sr, III"),
        _text("email", "best address"),
        _text("email_status", "verified, risky, guessed, invalid or unknown, of that address"),
        _text("phone", "E.164"),
        _text("phone_ext", "extension"),
        Column("phone_do_not_call", "boolean", "true where any source of that number says so"),
        _text("mobile", "E.164"),
        Column("mobile_do_not_call", "boolean", "true where any source of that number says so"),
        _text("job_title", "job title"),
        _text("seniority", "seniority"),
        _text("department", "department"),
        _text("linkedin_url", "profile address"),
        _text("street", "street"),
        _text("city", "city"),
        _text("state", "state"),
        _text("postcode", "postal code"),
        _text("country", "ISO alpha-2"),
        _text("region", "privacy region"),
        _text("notice_date", "ISO date of notice"),
        *_GOLDEN_END,
    ),
)
GOLDEN_ORGANISATION = Table(
    "golden.organisation",
    ("golden_id",),
    "One row per organisation: what survives from the cluster of source records.",
    (
        _text("golden_id", "stable for life, org_ + 20 hex", required=True),
        _text("name", "name with legal form"),
        _text("domain", "registrable domain"),
        _text("website", "web address"),
        _text("phone", "E.164"),
        _text("email", "general address"),
        _text("street", "street"),
        _text("city", "city"),
        _text("state", "state"),
        _text("postcode", "postal code"),
        _text("country", "ISO alpha-2"),
        _text("linkedin_url", "company page"),
        _text("industry", "industry"),
        Column("employees_min", "bigint", "lower bound of the head count"),
        Column("employees_max", "bigint", "upper bound of the head count"),
        *_GOLDEN_END,
    ),
)
PROVENANCE = Table(
    "golden.provenance",
    ("golden_id", "field"),
    "One row per golden cell that has a value, or that a lock or the minimum agreement left empty.",
    (
        _text("golden_id", "whose cell", required=True),
        _text("field", "which column", required=True),
        _text("value", "the value as text; null where it was left empty"),
        _text("record_key", "the source record it came from, or that the lock hangs on; null where too few agreed"),
        _text(
            "rule", "the rule that chose it; only: no other value was said, first: a dead tie, the smallest record_key"
        ),
        _text("losers", "JSON list of [record_key, value] that lost, best first, only values that differ"),
    ),
)
CROSSWALK = Table(
    "golden.crosswalk",
    ("record_key", "entity"),
    "One row per source record: the golden record it belongs to. A vendor may number people and companies alike.",
    (
        _text("record_key", "source:id", required=True),
        _text("golden_id", "its golden record", required=True),
        _text("entity", "organisation or contact", required=True),
        Column("since", "timestamp", "UTC; since when it belongs to that golden record"),
    ),
)
LINEAGE = Table(
    "golden.lineage",
    ("golden_id", "event", "other_id"),
    "One row per event in the life of a golden id.",
    (
        _text("golden_id", "whose life", required=True),
        _text("event", "created, merged_into, split_from, retired or revived", required=True),
        _text("other_id", "the other golden id; empty for created and retired"),
        Column("at", "timestamp", "UTC"),
    ),
)

TABLES = {
    table.name: table
    for table in (
        CONTACT_INPUT,
        ORGANISATION_INPUT,
        STANDARDISED_CONTACT,
        STANDARDISED_ORGANISATION,
        GOLDEN_CONTACT,
        GOLDEN_ORGANISATION,
        PROVENANCE,
        CROSSWALK,
        LINEAGE,
    )
}
