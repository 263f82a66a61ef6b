"""Values that stand for nobody in particular: listed ones from the first record on, learned ones by their owners."""

from __future__ import annotations

from datetime import UTC, datetime

import pyarrow as pa
import pytest
from faker import Faker

from transforms import pipeline
from transforms.context import Context
from transforms.contracts import TABLES
from transforms.engines.duckdb import DuckDBEngine
from transforms.kernels import companies, names, references
from transforms.kernels.standardise import arrow_schema
from transforms.model import Model

Row = dict[str, str | None]


@pytest.mark.parametrize(
    ("first", "last", "full"),
    [
        ("Unknown", "Unknown", None),
        ("Test", "Test", None),
        ("TEST", None, None),
        ("N/A", "n/a", None),
        ("First name", "Last name", None),
        ("Firstname", "Lastname", None),
        ("Do not", "use", None),
        ("DO", "NOT CALL", None),
        (None, None, "** DO NOT USE **"),
        (None, None, "Left company"),
        (None, None, "Test user"),
        ("-", "TBC", None),
        ("xxx", "xxxx", None),
    ],
)
def test_a_placeholder_is_no_name(first: str | None, last: str | None, full: str | None) -> None:
    """Said of hundreds of people it would make one of them."""
    assert names.parse(first, None, last, None, full) == names.Name(None, None, None, None, None)
    columns = [pa.array([value], pa.string()) for value in (first, None, last, None, full)]
    assert names.parse_all(*columns).to_pylist() == [dict.fromkeys(names.Name._fields)]


@pytest.mark.parametrize(
    ("first", "last"),
    [
        ("Ann", "Testa"),
        ("Bar", "Foo"),
        ("James", "Last"),
        ("Do", "Nguyen"),
        ("Nan", "Blank"),
        ("Mrinal", "Contact-Lee"),
    ],
)
def test_a_name_that_looks_like_one_stays(first: str, last: str) -> None:
    assert names.parse(first, None, last, None, None)[:3] == (first, None, last)


def test_half_a_placeholder_leaves_the_other_half() -> None:
    assert names.parse("Ann", None, "Unknown", None, None)[:3] == ("Ann", None, None)
    assert names.parse("Test", None, "Okafor", None, None)[:3] == (None, None, "Okafor")


@pytest.mark.parametrize(
    "said", ["Unknown", "TEST", "Test Company", "N/A", "n.a.", "Do not use", "Self-employed", "Company name", "TBC"]
)
def test_a_placeholder_is_no_company(said: str) -> None:
    assert companies.parse_name(said) == companies.CompanyName(None, None, None)


@pytest.mark.parametrize(
    "said", ["Test Valley Council", "Private Bank Ltd", "Unknown Worlds", "Sample & Sons", "Students Union"]
)
def test_a_company_that_looks_like_one_stays(said: str) -> None:
    assert companies.parse_name(said).shown == said


def test_the_lists_hold_what_they_are_for_and_no_person() -> None:
    for host in (
        "gmail.com",
        "outlook.com",
        "web.de",
        "qq.com",
        "btinternet.com",
        "mailinator.com",
        "linkedin.com",
        "wixsite.com",
    ):
        assert host in references.SHARED_HOSTS
    for host in ("ibm.com", "bbc.co.uk", "microsoft.com", "harvard.edu", "brackwell.co.uk"):
        assert host not in references.SHARED_HOSTS
    given = {
        name.lower()
        for locale in ("en_US", "en_GB", "de_DE", "fr_FR", "es_ES", "it_IT", "nl_NL", "pl_PL")
        for name in _given_names(locale)
    }
    assert not references.ROLE_MAILBOXES & given
    assert not references.PLACEHOLDER_NAMES & given
    for name in ("ROLE_MAILBOXES", "PLACEHOLDER_NAMES", "PLACEHOLDER_COMPANIES", "SHARED_HOSTS"):
        assert all(value == value.lower().strip() and value for value in getattr(references, name)), name


def _given_names(locale: str) -> list[str]:
    provider = next(found for found in Faker(locale).get_providers() if hasattr(found, "first_names"))
    return list(provider.first_names)


def _features(rows: list[Row], entity: str, models: dict[str, Model] | None = None) -> tuple[dict[str, Row], Context]:
    """record id -> its features, and the context with the model that was trained."""
    context = Context(run_at=datetime(2026, 1, 1, tzinfo=UTC), models=dict(models or {}))
    schema = arrow_schema(TABLES[f"standardised.{entity}_input"])
    table = pa.Table.from_pylist(
        [{"source": "s", "source_id": row["record_key"], **row} for row in rows], schema=schema
    )
    with DuckDBEngine(threads=1) as engine:
        pipeline.prepare(engine, context)
        engine.put(f"standardised.{entity}_input", table)
        if entity == "contact":
            clusters = pa.schema([("record_key", pa.string()), ("cluster_key", pa.string())])
            engine.put("resolved.organisation_cluster", clusters.empty_table())
        for name in (*pipeline.STANDARDISE_STEPS[entity], *pipeline.RESOLVE_STEPS[entity]):
            pipeline.build(engine, name, context)
        found = engine.fetch(f"resolved.{entity}_feature").to_pylist()
    return {row["record_key"]: row for row in found}, context


PEOPLE: list[Row] = [
    {"record_key": f"p{n}", "first_name": f"{a}nn", "last_name": f"{b}kafor", "email": f"{a}.{b}@firm{n}.com".lower()}
    for n, (a, b) in enumerate((a, b) for a in "ABDEFG" for b in "HJKLMN")
]


def test_a_role_mailbox_is_no_evidence_under_a_model_that_never_saw_it() -> None:
    """It was learned with the model, so that the first info@ of a new customer joined its people until the next training."""
    _, context = _features(PEOPLE, "contact")
    newcomers: list[Row] = [
        {"record_key": "n1", "first_name": "Ann", "last_name": "Lee", "email": "info@new.com"},
        {"record_key": "n2", "first_name": "Bob", "last_name": "Fox", "email": "bob.fox@new.com"},
    ]

    found, _ = _features([*PEOPLE, *newcomers], "contact", context.models)

    assert (found["n1"]["email"], found["n1"]["local"], found["n1"]["mail_domain"]) == (None, None, None)
    assert found["n2"]["email"] == "bob.fox@new.com"


def test_a_shared_host_is_nobodys_site_and_a_mailbox_elsewhere_tells_more() -> None:
    rows: list[Row] = [
        {"record_key": "1", "name": "Brackwell Ltd", "domain": "facebook.com", "email": "info@brackwell.co.uk"},
        {"record_key": "2", "name": "Arden Ltd", "website": "https://arden.blogspot.com", "email": "arden@gmail.com"},
        {"record_key": "3", "name": "Corvel Ltd", "email": "corvel@btinternet.com"},
    ]

    found, _ = _features(rows, "organisation")

    assert [found[key]["site"] for key in "123"] == ["brackwell.co.uk", "arden.blogspot.com", None]
    assert found["3"]["email"] == "corvel@btinternet.com"  # the mailbox itself is theirs


@pytest.mark.parametrize("strangers", [40, 4_000])
def test_a_line_of_two_is_evidence_and_a_line_of_many_is_none_however_many_records_there_are(strangers: int) -> None:
    """What counts is how many own one value, so nothing turns generic because the data grew."""
    line, centre = "+44 20 7946 0018", "+44 20 7946 0999"
    directors: list[Row] = [
        {"record_key": f"d{n}", "first_name": first, "last_name": last, "phone": line}
        for n, (first, last) in enumerate([("Ann", "Okafor"), ("Ben", "Turner"), ("Ann", "Okafor"), ("Ben", "Turner")])
    ]
    agents: list[Row] = [
        {"record_key": f"a{n}", "first_name": "Cat", "last_name": f"{letter}arrow", "phone": centre}
        for n, letter in enumerate("BFHMT")
    ]
    others: list[Row] = [
        {"record_key": f"o{n}", "first_name": "Dan", "last_name": "Lee", "phone": f"+44 20 7947 {n:04}"}
        for n in range(strangers)
    ]

    found, _ = _features([*directors, *agents, *others], "contact")

    assert {found[f"d{n}"]["phone"] for n in range(4)} == {"+442079460018"}
    assert {found[f"a{n}"]["phone"] for n in range(5)} == {None}
