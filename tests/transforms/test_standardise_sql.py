"""The mapping files, on payloads as the vendors send them: contract columns, traps, keys that point somewhere."""

from __future__ import annotations

import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
import sqlglot
from sqlglot import exp

from transforms.contracts import CONTACT_INPUT, ORGANISATION_INPUT, TABLES, Table
from transforms.kernels.standardise import ARROW_TYPES, arrow_schema, standardise_contact, standardise_organisation

SQL = Path(__file__).parents[2] / "transforms" / "sql" / "standardised"
FILES = sorted(path.stem for path in SQL.glob("*.sql"))
SOURCES = ("apollo", "zoominfo", "uplead", "exports")

APOLLO_PERSON = {
    "id": "65f0a1b2c3d4e5f600012345",
    "first_name": "Orla",
    "last_name": "Kennedy Jr",
    "name": "Orla J. Kennedy Jr",
    "title": "IT Manager",
    "email": "orla.kennedy@brackwell.co.uk",
    "email_status": "extrapolated",
    "gender": "female",
    "linkedin_url": "http://www.linkedin.com/in/orla-kennedy-000",
    "city": "London",
    "state": None,
    "country": "United Kingdom",
    "seniority": "manager",
    "departments": ["information_technology"],
    "organization_id": "5f00000000000000000000aa",
    "organization": {"id": "5f00000000000000000000aa", "name": "Brackwell Ltd", "primary_domain": "brackwell.co.uk"},
    "contact": {
        "phone_numbers": [
            {
                "raw_number": "07400 123456",
                "sanitized_number": "+447400123456",
                "type": "mobile",
                "dnc_status": "do_not_call",
            },
            {"raw_number": "(020) 7946 0011", "sanitized_number": "+442079460011", "type": None, "dnc_status": None},
        ]
    },
}
APOLLO_LOCKED = {
    "id": "65f0a1b2c3d4e5f600012346",
    "first_name": "Ann",
    "last_name": "Lee",
    "email": "email_not_unlocked@domain.com",
    "email_status": "verified",
    "organization_id": "no such company",
    "organization": None,
    "contact": {"organization_name": "Lee & Daughters"},
}
APOLLO_COMPANY = {
    "id": "5f00000000000000000000aa",
    "name": "Brackwell Ltd",
    "website_url": "http://www.brackwell.co.uk",
    "primary_domain": "brackwell.co.uk",
    "primary_phone": {},
    "phone": "+44 20 7946 0000",
    "industry": "construction",
    "estimated_num_employees": "120",
    "owned_by_organization_id": "5f00000000000000000000aa",
}
ZOOMINFO_PERSON = {
    "id": "344500001",
    "type": "Contact",
    "attributes": {
        "firstName": "Orla",
        "middleName": "J.",
        "lastName": "Kennedy",
        "jobTitle": "IT Manager",
        "email": "ORLA.KENNEDY@brackwell.co.uk",
        "contactAccuracyScore": "94",
        "phone": "(020) 7946 0011 ext. 12",
        "mobilePhone": "07400 123456",
        "directPhoneDoNotCall": True,
        "mobilePhoneDoNotCall": False,
        "jobFunction": [{"name": "Information Technology", "department": "Engineering & Technical"}],
        "managementLevel": ["Manager"],
        "country": "United Kingdom",
        "externalUrls": [
            {"type": "twitter.com", "url": "https://twitter.com/orla"},
            {"type": "linkedin.com", "url": "https://uk.linkedin.com/in/Orla-Kennedy-000?trk=x"},
        ],
        "withinEu": False,
        "withinCalifornia": True,
        "noticeProvidedDate": "2026-03-04",
        "lastUpdatedDate": "2026-10-04T18:13:00Z",
        "company": {"id": 344500001, "name": "Brackwell &amp; Co Ltd", "website": "www.brackwell.co.uk"},
    },
    "meta": {"matchStatus": "FULL_MATCH", "input": {"personId": "4191400001"}},
}
ZOOMINFO_COMPANY = {
    "id": "344500001",
    "type": "Company",
    "attributes": {
        "name": "Brackwell &amp; Co Ltd",
        "website": "www.brackwell.co.uk",
        "domainList": ["brackwell.co.uk"],
        "employeeCount": "1,204",
        "parentId": 0,
        "primaryIndustry": ["Construction"],
        "socialMediaUrls": [
            {"type": "LINKED_IN", "url": "https://www.linkedin.com/company/brackwell", "followerCount": "9"}
        ],
        "lastUpdatedDate": "2026-10-01T00:00:00Z",
    },
}
UPLEAD_PERSON = {
    "id": "d98e157e-0000-4a00-9d98-b2fb83900001",
    "first_name": "Orla",
    "last_name": "Kennedy",
    "gender": "female",
    "management_level": "M",
    "email": "orla.kennedy@brackwell.co.uk",
    "email_status": "accept_all",
    "phone_number": "+44 20 7946 0011",
    "county": "Kent",
    "country": None,
    "domain": "brackwell.co.uk",
    "company_name": "Brackwell Ltd",
}
UPLEAD_NESTED = {
    **UPLEAD_PERSON,
    "id": "17",
    "email_status": "unknown",
    "company": {"id": "c0ffee", "domain": "other.com"},
}
UPLEAD_COMPANY = {
    "id": "c0ffee",
    "company_name": "Other Inc",
    "domain": "other.com",
    "employees": "10001+",
    "zip": "02139",
}
UPLEAD_COMPANY_BY_DOMAIN = {"company_name": "Brackwell Ltd", "domain": "brackwell.co.uk", "employees": "51-200"}
EXPORT_APOLLO = {
    "vendor": "apollo",
    "file": "a.csv",
    "First Name": "Orla",
    "Last Name": "Kennedy",
    "Email": "orla.kennedy@brackwell.co.uk",
    "Email Status": "Verified",
    "Company": "Brackwell Ltd",
    "Website": "http://www.brackwell.co.uk",
    "# Employees": "120",
    "Corporate Phone": "'+44 20 7946 0000",
    "Do Not Call": "true",
}
EXPORT_ZOOMINFO = {
    "vendor": "zoominfo",
    "file": "z.csv",
    "First Name": "Ann",
    "Email Address": "ann@lee.com",
    "Contact Accuracy Score": "80",
    "ZoomInfo Company ID": "77",
    "Company Name": "Lee Inc",
}

RAW: dict[str, list[tuple[str, str | None, dict[str, Any]]]] = {
    "raw_apollo.contact": [
        (APOLLO_PERSON["id"], "2026-10-02T07:15:33.120+02:00", APOLLO_PERSON),
        (APOLLO_LOCKED["id"], None, APOLLO_LOCKED),
    ],
    "raw_apollo.organisation": [(APOLLO_COMPANY["id"], None, APOLLO_COMPANY)],
    "raw_zoominfo.contact": [("4191400001", "x", ZOOMINFO_PERSON)],
    "raw_zoominfo.organisation": [("344500001", "x", ZOOMINFO_COMPANY)],
    "raw_uplead.contact": [(UPLEAD_PERSON["id"], "h", UPLEAD_PERSON), ("17", "h", UPLEAD_NESTED)],
    "raw_uplead.organisation": [
        ("c0ffee", "h", UPLEAD_COMPANY),
        ("domain:brackwell.co.uk", "h", UPLEAD_COMPANY_BY_DOMAIN),
    ],
    "raw_exports.contact": [("apollo:1", None, EXPORT_APOLLO), ("zoominfo:2", None, EXPORT_ZOOMINFO)],
}  # fmt: skip
ORDER = (
    *(f"{source}_{entity}" for source in SOURCES for entity in ("contact", "organisation")),
    *("contact_input", "contact", "organisation_recorded", "organisation_named", "organisation_input", "organisation"),
)


def build(raw: dict[str, list[tuple[str, str | None, dict[str, Any]]]]) -> duckdb.DuckDBPyConnection:
    """The whole standardised schema, as the pipeline makes it."""
    con = duckdb.connect()
    con.execute("set TimeZone = 'UTC'")
    con.execute("create schema standardised")
    for source in SOURCES:
        con.execute(f"create schema raw_{source}")
    for table, rows in raw.items():
        con.execute(f"create table {table} (id varchar, archive_seq bigint, stamp varchar, payload varchar)")
        for row_id, stamp, payload in rows:
            con.execute(
                f"insert into {table} values (?, 1, ?, ?)", [row_id, stamp, json.dumps(payload, sort_keys=True)]
            )
    for name in ORDER:
        if name in ("contact", "organisation"):
            kernel = standardise_contact if name == "contact" else standardise_organisation
            said = con.sql(f"select * from standardised.{name}_input").to_arrow_table().combine_chunks().to_batches()
            schema = arrow_schema(TABLES[f"standardised.{name}"])
            made = pa.Table.from_batches([kernel(batch) for batch in said], schema=schema)
            con.register("made", made)
            con.execute(f"create table standardised.{name} as select * from made")
        else:
            con.execute(f"create table standardised.{name} as {(SQL / f'{name}.sql').read_text()}")
    return con


@pytest.fixture(scope="module")
def warehouse() -> duckdb.DuckDBPyConnection:
    return build(RAW)


def rows(con: duckdb.DuckDBPyConnection, table: str) -> dict[str, dict[str, Any]]:
    found = con.sql(f"select * from standardised.{table}").to_arrow_table().to_pylist()
    return {row["record_key"]: row for row in found}


@pytest.mark.parametrize("name", [name for name in ORDER if name not in ("contact", "organisation")])
def test_each_mapping_has_the_columns_and_types_of_its_contract(
    warehouse: duckdb.DuckDBPyConnection, name: str
) -> None:
    table: Table = CONTACT_INPUT if "contact" in name else ORGANISATION_INPUT

    schema = warehouse.sql(f"select * from standardised.{name}").to_arrow_table().schema

    assert schema.names == list(table.column_names)
    assert [field.type for field in schema] == [ARROW_TYPES[column.type] for column in table.columns]


@pytest.mark.parametrize("raw", [RAW, {table: [] for table in RAW}], ids=["filled", "empty"])
def test_keys_are_unique_and_every_employer_exists(raw: dict[str, Any]) -> None:
    """A contact with any employer data hangs on a row of standardised.organisation; nothing dangles."""
    con = build(raw)

    for name in ("contact", "organisation"):
        assert con.sql(f"select record_key from standardised.{name} group by 1 having count(*) > 1").fetchall() == []
    dangling = con.sql(
        "select record_key, organisation_key from standardised.contact where organisation_key is not null "
        "and organisation_key not in (select record_key from standardised.organisation)"
    )
    assert dangling.fetchall() == []
    homeless = con.sql(
        "select record_key from standardised.contact where organisation_key is null "
        "and (organisation_fold is not null or organisation_site is not null)"
    )
    assert homeless.fetchall() == []


def test_apollo_reads_phones_by_type_and_carries_do_not_call(warehouse: duckdb.DuckDBPyConnection) -> None:
    person = rows(warehouse, "contact")["apollo:65f0a1b2c3d4e5f600012345"]

    assert (person["phone"], person["phone_do_not_call"]) == ("+442079460011", None)
    assert (person["mobile"], person["mobile_do_not_call"]) == ("+447400123456", True)
    assert (person["last_name"], person["name_suffix"], person["suffix_fold"]) == ("Kennedy", "Jr", "jr")
    assert (person["email_status"], person["seniority"], person["region"]) == ("guessed", "manager", "eu")
    assert person["organisation_key"] == "apollo:5f00000000000000000000aa"
    assert person["source_updated_at"] == datetime(2026, 10, 2, 5, 15, 33, 120000)


def test_apollos_placeholder_address_reaches_nobody(warehouse: duckdb.DuckDBPyConnection) -> None:
    """It is the same for everybody and claims to be verified: as a key it would merge all locked people."""
    person = rows(warehouse, "contact_input")["apollo:65f0a1b2c3d4e5f600012346"]

    assert (person["email"], person["email_status"]) == (None, None)


def test_an_employer_without_a_record_is_named_after_what_its_people_say(warehouse: duckdb.DuckDBPyConnection) -> None:
    key = rows(warehouse, "contact")["apollo:65f0a1b2c3d4e5f600012346"]["organisation_key"]

    named = rows(warehouse, "organisation")[key]

    assert key == "apollo:name:lee and daughters"
    assert (named["name"], named["domain"], named["source"]) == ("Lee & Daughters", None, "apollo")


def test_zoominfo_takes_the_person_asked_for_not_the_items_id(warehouse: duckdb.DuckDBPyConnection) -> None:
    person = rows(warehouse, "contact")["zoominfo:4191400001"]

    assert (person["email"], person["email_status"]) == ("orla.kennedy@brackwell.co.uk", "verified")
    assert (person["phone"], person["phone_ext"], person["phone_do_not_call"]) == ("+442079460011", "12", True)
    assert (person["mobile"], person["mobile_do_not_call"]) == ("+447400123456", False)
    assert (person["linkedin_slug"], person["department"]) == ("orla-kennedy-000", "Engineering & Technical")
    assert (person["region"], person["notice_date"]) == ("california", "2026-03-04")
    assert person["organisation_key"] == "zoominfo:344500001"
    assert person["organisation_name"] == "Brackwell & Co Ltd"


def test_zoominfos_head_count_with_a_comma_is_a_number_and_parent_zero_is_none(
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    company = rows(warehouse, "organisation")["zoominfo:344500001"]

    assert (company["employees_min"], company["employees_max"], company["parent_key"]) == (1204, 1204, None)
    assert (company["name_fold"], company["legal_form"]) == ("brackwell", "co ltd")
    assert company["linkedin_slug"] == "brackwell"


def test_upleads_county_is_no_country_and_catch_all_is_risky(warehouse: duckdb.DuckDBPyConnection) -> None:
    person = rows(warehouse, "contact")["uplead:d98e157e-0000-4a00-9d98-b2fb83900001"]

    assert (person["country"], person["state"], person["email_status"]) == (None, None, "risky")
    assert person["seniority"] == "manager"
    assert person["source_updated_at"] is None


def test_upleads_people_find_their_company_by_id_else_by_domain(warehouse: duckdb.DuckDBPyConnection) -> None:
    people = rows(warehouse, "contact")

    assert people["uplead:17"]["organisation_key"] == "uplead:c0ffee"
    assert people["uplead:d98e157e-0000-4a00-9d98-b2fb83900001"]["organisation_key"] == "uplead:domain:brackwell.co.uk"


def test_gender_is_mapped_by_no_file_and_held_by_no_table(warehouse: duckdb.DuckDBPyConnection) -> None:
    assert not any("gender" in (SQL / f"{name}.sql").read_text().split("\nselect", 1)[1] for name in FILES)
    found = warehouse.sql(
        "select count(*) from information_schema.columns where column_name like '%gender%'"
    ).fetchone()
    assert found == (0,)


def test_downloads_are_read_by_heading_and_their_companies_derived(warehouse: duckdb.DuckDBPyConnection) -> None:
    people, companies = rows(warehouse, "contact"), rows(warehouse, "organisation")

    orla, ann = people["exports:apollo:1"], people["exports:zoominfo:2"]
    assert (orla["email_status"], orla["phone_do_not_call"]) == ("verified", True)
    assert companies[orla["organisation_key"]]["domain"] == "brackwell.co.uk"
    assert companies[orla["organisation_key"]]["employees_min"] == 120
    assert (ann["email_status"], ann["organisation_key"]) == ("guessed", "exports:zoominfo:company:77")
    assert companies["exports:zoominfo:company:77"]["name_fold"] == "lee"


@pytest.mark.parametrize("name", FILES)
def test_a_files_header_names_its_table_and_exactly_its_inputs(name: str) -> None:
    text = (SQL / f"{name}.sql").read_text()
    header = "\n".join(line for line in text.splitlines() if line.startswith("--"))

    tree = sqlglot.parse_one(text, read="duckdb")

    steps = {step.alias for step in tree.find_all(exp.CTE)}
    read = {f"{table.db}.{table.name}" for table in tree.find_all(exp.Table) if table.name not in steps}
    inputs = re.search(r"-- inputs:(.*?)\n-- why:", header, re.DOTALL)
    assert inputs is not None
    assert set(re.findall(r"\w+\.\w+", inputs.group(1))) == read
    assert header.startswith(f"-- standardised.{name}: ")
    assert re.search(r"^-- grain:  one row per ", header, re.MULTILINE)
    assert "-- key:    record_key" in header


# Tried on both engines on awkward inputs (facts on engines). Anything else needs a trial first.
ALLOWED_FUNCTIONS = {
    *(
        "JSONExtractScalar",
        "Coalesce",
        "Nullif",
        "Case",
        "If",
        "Cast",
        "TryCast",
        "RegexpExtract",
        "Substring",
        "Length",
        "MD5",
        "ConcatWs",
        "Chr",
    ),
    *("SHA2", "Count", "Min", "RowNumber", "And", "Or"),
}


@pytest.mark.parametrize("name", FILES)
def test_mapping_files_stay_in_the_common_subset_and_translate_to_spark(name: str) -> None:
    tree = sqlglot.parse_one((SQL / f"{name}.sql").read_text(), read="duckdb")

    used = {type(node).__name__ for node in tree.find_all(exp.Func)}
    spark = tree.sql(dialect="spark")

    assert used <= ALLOWED_FUNCTIONS
    assert all(window.args.get("order") for window in tree.find_all(exp.Window))
    assert "JSON_EXTRACT" not in spark.upper()
    sqlglot.parse_one(spark, read="spark")
