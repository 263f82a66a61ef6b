"""The standardising kernels: what a source says, as the one shape that everything after works on.

Belongs here: which column is made from which, the content hash. Does not: how one value is read (names.py and others),
how a function of one value becomes one of a column (columns.py).
Surprise: each output row depends on its input row alone, so batches may be cut and ordered at will; only the *work* is
shared, by mapping each distinct value of a batch once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import pyarrow as pa
import pyarrow.compute as pc

from transforms.contracts import (
    CONTACT_INPUT,
    ORGANISATION_INPUT,
    STANDARDISED_CONTACT,
    STANDARDISED_ORGANISATION,
    Table,
)
from transforms.kernels import companies, dates, emails, links, names, phones, places, references, titles
from transforms.kernels.columns import on_distinct
from transforms.kernels.fold import clean

ARROW_TYPES = {
    "varchar": pa.string(),
    "bigint": pa.int64(),
    "boolean": pa.bool_(),
    "timestamp": pa.timestamp("us"),
    "date": pa.date32(),
    "double": pa.float64(),
}

_SHARED_HOSTS = pa.array(sorted(references.SHARED_HOSTS))

Columns = dict[str, pa.Array]


def arrow_schema(table: Table) -> pa.Schema:
    """A contract as an Arrow schema. That a column is required is left out: engines lose it, checks keep it."""
    return pa.schema([pa.field(column.name, ARROW_TYPES[column.type]) for column in table.columns])


def standardise_contact(batch: pa.RecordBatch) -> pa.RecordBatch:
    """CONTACT_INPUT to STANDARDISED_CONTACT; missing input columns count as empty."""
    said = _said(batch, CONTACT_INPUT)
    carried = ("record_key", "source", "source_id", "phone_do_not_call", "mobile_do_not_call", "source_updated_at")
    out = {name: said[name] for name in carried}
    out |= {name: on_distinct(clean, said[name]) for name in ("job_title", "department", "external_id")}
    out |= _address(said) | _person_name(said) | _employer(said)
    out |= _contact_phones(said, out["country"])
    email = _email(said)
    page = on_distinct(links.linkedin_person, said["linkedin_url"], kind=links.LinkedIn, plain=links.plain_person)
    out |= {
        "email": email.field("address"),
        "email_local": email.field("local"),
        "email_domain": email.field("domain"),
        "email_status": emails.statuses(email, said["email_status"]),
        "linkedin_url": page.field("url"),
        "linkedin_slug": page.field("slug"),
        "title_fold": on_distinct(titles.title_fold, said["job_title"]),
        "seniority": on_distinct(titles.seniority, said["seniority"]),
        "date_of_birth": on_distinct(dates.iso_shaped, said["date_of_birth"]),
        "notice_date": on_distinct(dates.iso_date, said["notice_date"]),
        "region": on_distinct(places.region, on_distinct(clean, said["region"]), out["country"], out["state_fold"]),
    }
    return _assembled(STANDARDISED_CONTACT, out, batch)


def standardise_organisation(batch: pa.RecordBatch) -> pa.RecordBatch:
    """ORGANISATION_INPUT to STANDARDISED_ORGANISATION; missing input columns count as empty."""
    said = _said(batch, ORGANISATION_INPUT)
    out = {name: said[name] for name in ("record_key", "source", "source_id", "parent_key", "source_updated_at")}
    out |= {name: on_distinct(clean, said[name]) for name in ("industry", "employees", "external_id")}
    out |= _address(said)
    company = on_distinct(companies.parse_name, said["name"], kind=companies.CompanyName)
    heads = on_distinct(companies.parse_heads, said["employees"], kind=companies.Heads)
    email = _email(said)
    page = on_distinct(links.linkedin_company, said["linkedin_url"], kind=links.LinkedIn, plain=links.plain_company)
    out |= {
        "name": company.field("shown"),
        "name_fold": company.field("folded"),
        "legal_form": company.field("legal_form"),
        "domain": pc.coalesce(on_distinct(links.site, said["domain"]), on_distinct(links.site, said["website"])),
        "website": on_distinct(links.website, said["website"]),
        "phone": _phone(said["phone"], out["country"]).field("number"),
        "email": email.field("address"),
        "email_domain": email.field("domain"),
        "linkedin_url": page.field("url"),
        "linkedin_slug": page.field("slug"),
        "employees_min": heads.field("least"),
        "employees_max": heads.field("most"),
    }
    return _assembled(STANDARDISED_ORGANISATION, out, batch)


def content_hashes(columns: Iterable[pa.Array]) -> list[str]:
    """SHA-256 of each row: values as text, null as one control character, another between columns.

    `clean` takes both characters out of what sources say, so no two different rows are written alike.
    """
    parts = [pc.fill_null(_as_text(column), "\x00") for column in columns]
    lines = pc.binary_join_element_wise(*parts, "\x1f").cast(pa.binary()).to_pylist()
    return [hashlib.sha256(line).hexdigest() for line in lines]


def record_number(record_key: str) -> int:
    """60 bits of SHA-256: a number that depends on the key alone, whatever else is there and whoever came first."""
    return int.from_bytes(hashlib.sha256(record_key.encode("utf-8")).digest()[:8], "big") >> 4


def _said(batch: pa.RecordBatch, table: Table) -> Columns:
    """The input columns in the contract's types; a missing one is all null."""
    return {
        field.name: _typed(batch.column(field.name), field.type)
        if field.name in batch.schema.names
        else pa.nulls(batch.num_rows, field.type)
        for field in arrow_schema(table)
    }


def _typed(column: pa.Array, kind: pa.DataType) -> pa.Array:
    if pa.types.is_timestamp(column.type) and column.type.tz is not None:
        column = column.cast(pa.timestamp("us", tz="UTC"))
    return column.cast(kind)


def _address(said: Columns) -> Columns:
    country = on_distinct(places.country_code, said["country"])
    state, postcode = said["state"], said["postcode"]
    return {
        "street": on_distinct(clean, said["street"]),
        "street_fold": on_distinct(places.street_fold, said["street"]),
        "city": on_distinct(_city_shown, said["city"]),
        "city_fold": on_distinct(places.city_fold, said["city"]),
        "state": on_distinct(places.state_shown, state, country),
        "state_fold": on_distinct(places.state_code, state, country),
        "postcode": on_distinct(places.postcode_shown, postcode, country),
        "postcode_fold": on_distinct(places.postcode_fold, postcode, country),
        "country": country,
    }


def _city_shown(text: str | None) -> str | None:
    cleaned = clean(text)
    return names.recase(cleaned) if cleaned is not None else None


def _person_name(said: Columns) -> Columns:
    parts = (said[name] for name in ("first_name", "middle_name", "last_name", "name_suffix", "full_name"))
    first, middle, last, suffix, full = names.parse_all(*parts).flatten()
    return {
        "first_name": first,
        "middle_name": middle,
        "last_name": last,
        "name_suffix": suffix,
        "full_name": full,
        "first_fold": on_distinct(names.name_fold, first),
        "middle_fold": on_distinct(names.name_fold, middle),
        "last_fold": on_distinct(names.name_fold, last),
        "suffix_fold": on_distinct(names.suffix_fold, suffix),
    }


def _email(said: Columns) -> pa.StructArray:
    return on_distinct(emails.parse, said["email"], kind=emails.Email, plain=emails.plain)


def _phone(texts: pa.Array, countries: pa.Array) -> pa.StructArray:
    return on_distinct(phones.parse, texts, countries, kind=phones.Phone, plain=phones.plain)


def _contact_phones(said: Columns, countries: pa.Array) -> Columns:
    desk, mobile = _phone(said["phone"], countries), _phone(said["mobile"], countries)
    return {"phone": desk.field("number"), "phone_ext": desk.field("extension"), "mobile": mobile.field("number")}


def _employer(said: Columns) -> Columns:
    company = on_distinct(companies.parse_name, said["organisation_name"], kind=companies.CompanyName)
    site = on_distinct(links.site, said["organisation_domain"])
    folded = company.field("folded")
    return {
        "organisation_name": company.field("shown"),
        "organisation_fold": folded,
        "organisation_domain": on_distinct(links.host, said["organisation_domain"]),
        "organisation_site": site,
        "organisation_key": _organisation_key(said["organisation_key"], said["source"], site, folded),
    }


def _organisation_key(said: pa.Array, source: pa.Array, site: pa.Array, folded: pa.Array) -> pa.Array:
    """The employer's record: the one the source has, else one named after its own domain, else after its name."""
    is_shared = pc.is_in(site, _SHARED_HOSTS)
    own_site = pc.if_else(is_shared, None, site)
    of_domain = pc.binary_join_element_wise(source, "domain", own_site, ":")
    return pc.coalesce(said, of_domain, pc.binary_join_element_wise(source, "name", folded, ":"))


def _assembled(table: Table, out: Columns, batch: pa.RecordBatch) -> pa.RecordBatch:
    """The columns in contract order, typed, with the record's number and hashes."""
    schema = arrow_schema(table)
    hashes = content_hashes([out[name] for name in schema.names if name in out and name not in table.key])
    has_hash = "input_hash" in batch.schema.names
    columns = out | {
        "rid": pa.array(map(record_number, out["record_key"].to_pylist()), pa.int64()),
        "input_hash": batch.column("input_hash") if has_hash else pa.nulls(batch.num_rows, pa.string()),
        "content_hash": pa.array(hashes, pa.string()),
    }
    return pa.RecordBatch.from_arrays([columns[name] for name in schema.names], schema=schema)


def _as_text(column: pa.Array) -> pa.Array:
    if pa.types.is_timestamp(column.type):
        return column.cast(pa.int64()).cast(pa.string())
    if pa.types.is_boolean(column.type):
        return pc.if_else(column, pa.scalar("1"), pa.scalar("0"))
    return column.cast(pa.string())
