"""The standardising kernels: what a source says, as the one shape that everything after works on.

Belongs here: which column is made from which, the content hash. Does not: how one value is read (names.py and others).
Surprise: each output row depends on its input row alone, so batches may be cut and ordered at will; only the *work* is
shared, by mapping each distinct value of a batch once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from transforms.contracts import STANDARDISED_CONTACT, STANDARDISED_ORGANISATION, Table
from transforms.kernels import companies, dates, emails, links, names, phones, places, titles
from transforms.kernels.fold import clean

ARROW_TYPES = {
    "varchar": pa.string(),
    "bigint": pa.int64(),
    "boolean": pa.bool_(),
    "timestamp": pa.timestamp("us"),
    "date": pa.date32(),
    "double": pa.float64(),
}

BESIDE_CONTENT = ("rid", "input_hash")  # of the row, but not what it says

Values = list[Any]


def arrow_schema(table: Table) -> pa.Schema:
    """A contract as an Arrow schema. That a column is required is left out: engines lose it, checks keep it."""
    return pa.schema([pa.field(column.name, ARROW_TYPES[column.type]) for column in table.columns])


def standardise_contact(batch: pa.RecordBatch) -> pa.RecordBatch:
    """CONTACT_INPUT to STANDARDISED_CONTACT; missing input columns count as empty."""
    said = _Said(batch)
    out: dict[str, Values | pa.Array] = {**_keys(said), **_address(said)}
    out |= _person_name(said)
    out |= _email(said, with_status=True)
    out |= _contact_phones(said, out["country"])
    out |= _employer(said)
    out |= _linkedin(said, links.linkedin_person)
    out |= {
        "job_title": said.mapped("job_title", clean),
        "title_fold": said.mapped("job_title", titles.title_fold),
        "seniority": said.mapped("seniority", titles.seniority),
        "department": said.mapped("department", clean),
        "date_of_birth": said.mapped("date_of_birth", dates.iso_shaped),
        "external_id": said.mapped("external_id", clean),
        "notice_date": said.mapped("notice_date", dates.iso_date),
        "region": _mapped_rows(places.region, said.mapped("region", clean), out["country"], out["state_fold"]),
        "phone_do_not_call": said.array("phone_do_not_call", pa.bool_()),
        "mobile_do_not_call": said.array("mobile_do_not_call", pa.bool_()),
        "source_updated_at": said.array("source_updated_at", pa.timestamp("us")),
    }
    return _assembled(STANDARDISED_CONTACT, out)


def standardise_organisation(batch: pa.RecordBatch) -> pa.RecordBatch:
    """ORGANISATION_INPUT to STANDARDISED_ORGANISATION; missing input columns count as empty."""
    said = _Said(batch)
    out: dict[str, Values | pa.Array] = {**_keys(said), **_address(said)}
    out |= _email(said, with_status=False)
    out |= _linkedin(said, links.linkedin_company)
    company = said.mapped("name", companies.parse_name)
    heads = said.mapped("employees", companies.parse_heads)
    sites = said.mapped("domain", links.site)
    sites_of_websites = said.mapped("website", links.site)
    telephones = _mapped_rows(phones.parse, said.values("phone"), out["country"])
    out |= {
        "name": [name.shown for name in company],
        "name_fold": [name.folded for name in company],
        "legal_form": [name.legal_form for name in company],
        "domain": [domain or of_website for domain, of_website in zip(sites, sites_of_websites, strict=True)],
        "website": said.mapped("website", links.website),
        "phone": [phone.number for phone in telephones],
        "industry": said.mapped("industry", clean),
        "employees": said.mapped("employees", clean),
        "employees_min": [count.least for count in heads],
        "employees_max": [count.most for count in heads],
        "external_id": said.mapped("external_id", clean),
        "parent_key": said.values("parent_key"),
        "source_updated_at": said.array("source_updated_at", pa.timestamp("us")),
    }
    return _assembled(STANDARDISED_ORGANISATION, out)


def content_hashes(columns: Iterable[pa.Array]) -> list[str]:
    """SHA-256 of each row: values as text, null as one control character, another between columns.

    `clean` takes both characters out of what sources say, so no two different rows are written alike.
    """
    parts = [pc.fill_null(_as_text(column), "\x00") for column in columns]
    lines = pc.binary_join_element_wise(*parts, "\x1f").to_pylist()
    return [hashlib.sha256(line.encode("utf-8")).hexdigest() for line in lines]


class _Said:
    """The input batch by column: values, or a function mapped over the distinct ones."""

    def __init__(self, batch: pa.RecordBatch) -> None:
        self._batch = batch
        self._columns = set(batch.schema.names)

    def array(self, name: str, kind: pa.DataType) -> pa.Array:
        if name not in self._columns:
            return pa.nulls(self._batch.num_rows, kind)
        column = self._batch.column(name)
        if pa.types.is_timestamp(column.type) and column.type.tz is not None:
            column = column.cast(pa.timestamp("us", tz="UTC")).cast(kind)
        return column.cast(kind)

    def values(self, name: str) -> Values:
        return self.array(name, pa.string()).to_pylist()

    def mapped(self, name: str, function: Callable[[str | None], Any]) -> Values:
        encoded = self.array(name, pa.string()).dictionary_encode()
        results = [function(value) for value in encoded.dictionary.to_pylist()]
        of_nothing = function(None)
        return [of_nothing if index is None else results[index] for index in encoded.indices.to_pylist()]


def _mapped_rows(function: Callable[..., Any], *columns: Values | pa.Array) -> Values:
    """A function of several columns, called once for each distinct combination."""
    known: dict[tuple[Any, ...], Any] = {}
    results: Values = []
    for key in zip(*columns, strict=True):
        if key not in known:
            known[key] = function(*key)
        results.append(known[key])
    return results


def _keys(said: _Said) -> dict[str, Values | pa.Array]:
    keys: dict[str, Values | pa.Array] = {name: said.values(name) for name in ("record_key", "source", "source_id")}
    keys["rid"] = [record_number(key) for key in keys["record_key"]]
    keys["input_hash"] = said.array("input_hash", pa.string())
    return keys


def record_number(record_key: str) -> int:
    """60 bits of SHA-256: a number that depends on the key alone, whatever else is there and whoever came first."""
    return int.from_bytes(hashlib.sha256(record_key.encode("utf-8")).digest()[:8], "big") >> 4


def _person_name(said: _Said) -> dict[str, Values]:
    columns = ("first_name", "middle_name", "last_name", "name_suffix", "full_name")
    people = [names.parse(*row) for row in zip(*(said.values(column) for column in columns), strict=True)]
    out: dict[str, Values] = {
        "first_name": [person.first for person in people],
        "middle_name": [person.middle for person in people],
        "last_name": [person.last for person in people],
        "name_suffix": [person.suffix for person in people],
        "full_name": [person.full for person in people],
    }
    out["first_fold"] = _mapped_rows(names.name_fold, out["first_name"])
    out["middle_fold"] = _mapped_rows(names.name_fold, out["middle_name"])
    out["last_fold"] = _mapped_rows(names.name_fold, out["last_name"])
    out["suffix_fold"] = _mapped_rows(names.suffix_fold, out["name_suffix"])
    return out


def _email(said: _Said, *, with_status: bool) -> dict[str, Values]:
    parsed = said.mapped("email", emails.parse)
    out: dict[str, Values] = {
        "email": [email.address for email in parsed],
        "email_domain": [email.domain for email in parsed],
    }
    if with_status:
        out["email_local"] = [email.local for email in parsed]
        out["email_status"] = [
            emails.status(email, status) for email, status in zip(parsed, said.values("email_status"), strict=True)
        ]
    return out


def _contact_phones(said: _Said, countries: Values) -> dict[str, Values]:
    desks = _mapped_rows(phones.parse, said.values("phone"), countries)
    mobiles = _mapped_rows(phones.parse, said.values("mobile"), countries)
    return {
        "phone": [phone.number for phone in desks],
        "phone_ext": [phone.extension for phone in desks],
        "mobile": [phone.number for phone in mobiles],
    }


def _employer(said: _Said) -> dict[str, Values]:
    company = said.mapped("organisation_name", companies.parse_name)
    out: dict[str, Values] = {
        "organisation_name": [name.shown for name in company],
        "organisation_fold": [name.folded for name in company],
        "organisation_domain": said.mapped("organisation_domain", links.host),
        "organisation_site": said.mapped("organisation_domain", links.site),
    }
    out["organisation_key"] = _mapped_rows(
        _organisation_key,
        said.values("organisation_key"),
        said.values("source"),
        out["organisation_site"],
        out["organisation_fold"],
    )
    return out


def _organisation_key(said: str | None, source: str | None, site: str | None, folded: str | None) -> str | None:
    """The employer's record: the one the source has, else one named after its own domain, else after its name."""
    if said is not None:
        return said
    if site is not None and site not in emails.FREE_MAIL_HOSTS and site not in links.SHARED_HOSTS:
        return f"{source}:domain:{site}"
    return f"{source}:name:{folded}" if folded is not None else None


def _linkedin(said: _Said, function: Callable[[str | None], links.LinkedIn]) -> dict[str, Values]:
    pages = said.mapped("linkedin_url", function)
    return {"linkedin_url": [page.url for page in pages], "linkedin_slug": [page.slug for page in pages]}


def _address(said: _Said) -> dict[str, Values]:
    countries = said.mapped("country", places.country_code)
    states, postcodes = said.values("state"), said.values("postcode")
    return {
        "street": said.mapped("street", clean),
        "street_fold": said.mapped("street", places.street_fold),
        "city": said.mapped("city", _city_shown),
        "city_fold": said.mapped("city", places.city_fold),
        "state": _mapped_rows(places.state_shown, states, countries),
        "state_fold": _mapped_rows(places.state_code, states, countries),
        "postcode": _mapped_rows(places.postcode_shown, postcodes, countries),
        "postcode_fold": _mapped_rows(places.postcode_fold, postcodes, countries),
        "country": countries,
    }


def _city_shown(text: str | None) -> str | None:
    cleaned = clean(text)
    return names.recase(cleaned) if cleaned is not None else None


def _assembled(table: Table, out: dict[str, Values | pa.Array]) -> pa.RecordBatch:
    """The columns in contract order, typed, with the content hash."""
    schema = arrow_schema(table)
    columns: dict[str, pa.Array] = {}
    for field in schema:
        if field.name != "content_hash":
            values = out[field.name]
            columns[field.name] = values if isinstance(values, pa.Array) else pa.array(values, field.type)
    hashes = content_hashes([column for name, column in columns.items() if name not in (*table.key, *BESIDE_CONTENT)])
    columns["content_hash"] = pa.array(hashes, pa.string())
    assert list(columns) == schema.names, f"{table.name}: made {list(columns)}"
    return pa.RecordBatch.from_arrays(list(columns.values()), schema=schema)


def _as_text(column: pa.Array) -> pa.Array:
    if pa.types.is_timestamp(column.type):
        return column.cast(pa.int64()).cast(pa.string())
    if pa.types.is_boolean(column.type):
        return pc.if_else(column, pa.scalar("1"), pa.scalar("0"))
    return column.cast(pa.string())
