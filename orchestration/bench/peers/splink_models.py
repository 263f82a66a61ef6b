"""The Splink models that the bench runs: its tutorials' way for any columns, and the tuned ones for business data.

Belongs here: cleaning in SQL, comparisons, blocking and training rules. Does not: running them (run_splink.py).
Surprise: nothing here looks at a label or at the name of a data set; a model is put together from the columns that
hold anything, so that a labelled set that nobody has seen gets sensible settings too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import splink.comparison_level_library as cll
import splink.comparison_library as cl

Rule = tuple[str, ...]

SMALL_RECORDS = 10_000  # up to here Splink's tutorials block on single columns
LEGAL_FORMS = (
    "incorporated|inc|corporation|corp|company|co|llc|llp|lp|ltd|limited|plc|gmbh|ag|kg|sa|sas|sarl|srl|spa|bv|nv|ab"
    "|oy|as|aps|pty|pte|holding|holdings|group"
)
ROLES = (
    "info|sales|contact|office|admin|support|hello|mail|enquiries|enquiry|hr|jobs|billing|accounts|service|team"
    "|marketing|reception|kontakt|vertrieb|noreply"
)
FREE_MAIL = "gmail|googlemail|yahoo|hotmail|outlook|live|msn|aol|icloud|me|gmx|web|proton|protonmail"


@dataclass(frozen=True)
class Model:
    """What `run_splink` needs; rules are lists of column expressions that must be equal."""

    comparisons: list[Any]
    prediction_rules: list[Rule]
    certain_rules: list[Rule]
    certain_recall: float
    training_rules: list[Rule]
    random_pairs: float


def model_for(connection: duckdb.DuckDBPyConnection, *, entity: str, is_tuned: bool) -> Model:
    """Make the table `cleaned` from `record` and give the model that fits it."""
    filled = _filled(connection, "record")
    if is_tuned:
        connection.execute(_tuned_contact_sql(filled) if entity == "contact" else _tuned_organisation_sql(filled))
    else:
        connection.execute(_plain_sql(filled, entity))
    have = _filled(connection, "cleaned")
    rows = _one(connection, "select count(*) from cleaned")
    if entity == "organisation":
        return _organisation(have, rows, is_tuned)
    return _tuned_contact(have, rows) if is_tuned else _contact(have, rows, _date_format(connection, have))


# The tutorials' way


def _plain_sql(filled: set[str], entity: str) -> str:
    columns = [f"nullif(lower(trim({name})), '') as {name}" for name in sorted(filled - {"record_id", "source"})]
    if entity == "contact" and {"first_name", "last_name"} <= filled:
        columns.append("nullif(lower(trim(first_name)) || ' ' || lower(trim(last_name)), '') as first_and_last")
    return f"create table cleaned as select record_id, {', '.join(columns)} from record"


def _contact(have: set[str], rows: int, date_format: str) -> Model:
    """Tutorials "deduplicate 50k synthetic" and "FEBRL 3", for the columns that are there."""
    makers = {
        "date_of_birth": lambda name: cl.DateOfBirthComparison(
            name, input_is_string=True, datetime_format=date_format, invalid_dates_as_null=True
        ),
        "email": cl.EmailComparison,
        "external_id": lambda name: cl.DamerauLevenshteinAtThresholds(name, [1, 2]),
        "phone": _exact,
        "linkedin_url": lambda name: cl.ExactMatch(name),
        "postcode": lambda name: cl.DamerauLevenshteinAtThresholds(name, [1, 2]).configure(
            term_frequency_adjustments=True
        ),
        "street": lambda name: cl.JaroWinklerAtThresholds(name, [0.9, 0.7]),
        "city": _exact,
        "job_title": _exact,
        "organisation_name": lambda name: cl.JaroWinklerAtThresholds(name, [0.9, 0.8]).configure(
            term_frequency_adjustments=True
        ),
    }
    names: list[Any] = [cl.NameComparison(name) for name in ("first_name", "last_name", "full_name") if name in have]
    if "first_and_last" in have:
        names = [
            cl.ForenameSurnameComparison("first_name", "last_name", forename_surname_concat_col_name="first_and_last")
        ]
    single = [("first_name",), ("last_name",), ("date_of_birth",), ("postcode",)] if rows <= SMALL_RECORDS else []
    return Model(
        comparisons=[*names, *(make(name) for name, make in makers.items() if name in have)],
        prediction_rules=_possible(
            have,
            [
                *single,
                ("email",),
                ("phone",),
                ("linkedin_url",),
                ("external_id",),
                ("first_name", "last_name"),
                ("last_name", "date_of_birth"),
                ("first_name", "date_of_birth"),
                ("first_name", "postcode"),
                ("last_name", "postcode"),
                ("last_name", "organisation_name"),
                ("first_name", "organisation_name"),
                ("date_of_birth", "city"),
                ("last_name", "street"),
            ],
        ),
        certain_rules=_possible(
            have,
            [
                ("email",),
                ("external_id",),
                ("first_name", "last_name", "date_of_birth"),
                ("first_name", "last_name", "organisation_name"),
            ],
        ),
        certain_recall=0.7,
        training_rules=_possible(have, [("first_name", "last_name")])
        + _possible(have, [("date_of_birth",), ("email",), ("phone",), ("postcode",)])[:1],
        random_pairs=_random_pairs(rows),
    )


def _date_format(connection: duckdb.DuckDBPyConnection, have: set[str]) -> str:
    if "date_of_birth" not in have:
        return ""
    dashed = _one(connection, "select count(*) from cleaned where date_of_birth like '____-__-__'")
    joined = _one(connection, "select count(*) from cleaned where date_of_birth similar to '[0-9]{8}'")
    return "%Y-%m-%d" if dashed >= joined else "%Y%m%d"


# Tuned: business contacts and organisations


def _text(name: str, filled: set[str]) -> str:
    """Accents, case and punctuation folded away; null where nothing remains."""
    if name not in filled:
        return "cast(null as varchar)"
    return f"nullif(trim(regexp_replace(strip_accents(lower({name})), '[^a-z0-9]+', ' ', 'g')), '')"


def _company(name: str, filled: set[str]) -> str:
    return f"nullif(trim(regexp_replace({_text(name, filled)}, '(\\s({LEGAL_FORMS}))+$', '')), '')"


def _raw(name: str, filled: set[str]) -> str:
    return f"nullif(trim(lower({name})), '')" if name in filled else "cast(null as varchar)"


def _phone(name: str, filled: set[str]) -> str:
    """The last nine digits, without an extension: the national number, however the prefix was written."""
    digits = f"regexp_replace(regexp_replace({_raw(name, filled)}, '(x|ext|#).*$', ''), '[^0-9]', '', 'g')"
    return f"nullif(right({digits}, 9), '')"


def _domain(name: str, filled: set[str]) -> str:
    host = f"regexp_replace({_raw(name, filled)}, '^https?://', '')"
    return f"nullif(regexp_replace({host}, '(^www\\.)|([/:?].*$)', '', 'g'), '')"


def _slug(filled: set[str]) -> str:
    return f"nullif(regexp_extract({_raw('linkedin_url', filled)}, '/(?:in|company|pub)/([^/?#]+)', 1), '')"


def _tuned_contact_sql(filled: set[str]) -> str:
    email = _raw("email", filled)
    return f"""
    create table cleaned as
    with one as (
        select
            record_id,
            {_text("first_name", filled)} as given,
            {_text("last_name", filled)} as family,
            {_text("full_name", filled)} as whole,
            case when not regexp_matches({email}, '^({ROLES})@') then {email} end as email,
            coalesce({_phone("phone", filled)}, {_phone("mobile", filled)}) as phone,
            {_slug(filled)} as linkedin,
            {_company("organisation_name", filled)} as company,
            {_domain("organisation_domain", filled)} as told_domain,
            {_text("city", filled)} as city,
            {_text("job_title", filled)} as job_title
        from record
    ),
    two as (
        select
            *,
            coalesce(given, split_part(whole, ' ', 1)) as first_name,
            coalesce(family, split_part(whole, ' ', -1)) as last_name,
            nullif(split_part(email, '@', 1), '') as local_part,
            nullif(split_part(email, '@', 2), '') as email_domain
        from one
    )
    select
        record_id, first_name, last_name, email, local_part, email_domain, phone, linkedin, company, city, job_title,
        coalesce(
            told_domain, case when not regexp_matches(email_domain, '^({FREE_MAIL})\\.') then email_domain end
        ) as domain,
        left(replace(company, ' ', ''), 6) as company6,
        left(first_name, 3) as first3,
        left(last_name, 4) as last4
    from two
    """


def _tuned_contact(have: set[str], rows: int) -> Model:
    email = cl.CustomComparison(
        output_column_name="email",
        comparison_levels=[
            cll.NullLevel("email"),
            cll.ExactMatchLevel("email"),
            cll.ExactMatchLevel("local_part"),
            cll.CustomLevel(
                "email_domain_l = email_domain_r and jaro_winkler_similarity(local_part_l, local_part_r) > 0.95",
                label_for_charts="same domain, like local part",
            ),
            cll.CustomLevel("email_domain_l = email_domain_r", label_for_charts="same domain, other mailbox"),
            cll.ElseLevel(),
        ],
    )
    organisation = cl.CustomComparison(
        output_column_name="organisation",
        comparison_levels=[
            cll.CustomLevel(
                "(company_l is null and domain_l is null) or (company_r is null and domain_r is null)",
                label_for_charts="nothing to compare",
            ).configure(is_null_level=True),
            cll.CustomLevel(
                "domain_l = domain_r and (company_l is null or company_r is null"
                " or jaro_winkler_similarity(company_l, company_r) > 0.8)",
                label_for_charts="same domain, like name",
            ).configure(tf_adjustment_column="domain"),
            cll.CustomLevel("domain_l = domain_r", label_for_charts="same domain"),
            cll.CustomLevel("company_l = company_r", label_for_charts="same name").configure(
                tf_adjustment_column="company"
            ),
            cll.CustomLevel("jaro_winkler_similarity(company_l, company_r) > 0.93", label_for_charts="like name"),
            cll.ElseLevel(),
        ],
    )
    singles = {
        "phone": _exact,
        "linkedin": cl.ExactMatch,
        "city": _exact,
        "job_title": lambda name: cl.JaroWinklerAtThresholds(name, [0.9]),
    }
    comparisons: list[Any] = [cl.NameComparison("first_name"), cl.NameComparison("last_name")]
    comparisons += [email] if "email" in have else []
    comparisons += [organisation] if {"domain", "company"} & have else []
    return Model(
        comparisons=[*comparisons, *(make(name) for name, make in singles.items() if name in have)],
        prediction_rules=_possible(
            have,
            [
                ("email",),
                ("linkedin",),
                ("phone", "last_name"),
                ("phone", "first_name"),
                ("last_name", "domain"),
                ("last_name", "company6"),
                ("first_name", "domain"),
                ("first_name", "last_name", "city"),
                ("first3", "last4", "left(domain, 4)"),
            ],
        ),
        certain_rules=_possible(have, [("email",), ("linkedin",), ("first_name", "last_name", "domain")]),
        certain_recall=0.85,
        training_rules=_possible(have, [("first_name", "last_name"), ("email",)]),
        random_pairs=_random_pairs(rows),
    )


def _tuned_organisation_sql(filled: set[str]) -> str:
    return f"""
    create table cleaned as
    select
        record_id,
        {_company("name", filled)} as name,
        coalesce({_domain("domain", filled)}, {_domain("website", filled)}) as domain,
        {_phone("phone", filled)} as phone,
        {_slug(filled)} as linkedin_url,
        {_text("street", filled)} as street,
        {_text("city", filled)} as city,
        {_text("postcode", filled)} as postcode,
        {_text("country", filled)} as country
    from record
    """


def _organisation(have: set[str], rows: int, is_tuned: bool) -> Model:
    thresholds = [0.95, 0.88, 0.8] if is_tuned else [0.92, 0.88, 0.7]
    makers = {
        "name": lambda name: cl.JaroWinklerAtThresholds(name, thresholds).configure(term_frequency_adjustments=True),
        "domain": _exact,
        "website": _exact if not is_tuned else None,
        "email": cl.EmailComparison if not is_tuned else None,
        "phone": cl.ExactMatch if is_tuned else _exact,
        "linkedin_url": cl.ExactMatch,
        "street": lambda name: cl.JaroWinklerAtThresholds(name, [0.9] if is_tuned else [0.9, 0.7]),
        "city": _exact,
        "postcode": cl.ExactMatch if is_tuned else _exact,
        "country": _exact if is_tuned else None,
    }
    # Tuned: phone first did better on real sites and the same elsewhere; plain: the other way round.
    second: list[Rule] = [("phone",), ("domain",)] if is_tuned else [("domain",), ("phone",)]
    return Model(
        comparisons=[make(name) for name, make in makers.items() if make and name in have],
        prediction_rules=_possible(
            have,
            [
                *[("domain",), ("phone",), ("linkedin_url",), ("left(name, 7)",), ("postcode",), ("name",)],
                *([] if is_tuned else [("website",), ("email",), ("street",)]),
            ],
        ),
        certain_rules=_possible(have, [("domain",), ("name", "phone"), ("name", "street"), ("linkedin_url",)]),
        certain_recall=0.8,
        training_rules=[("name",), *_possible(have, [*second, ("street",)])[:1]],
        random_pairs=_random_pairs(rows),
    )


# Both


def _exact(name: str) -> Any:
    return cl.ExactMatch(name).configure(term_frequency_adjustments=True)


def _possible(have: set[str], rules: Sequence[Rule]) -> list[Rule]:
    """The rules all of whose columns are there; `left(name, 7)` needs `name`."""
    return [rule for rule in rules if all(part.removeprefix("left(").split(",")[0] in have for part in rule)]


def _random_pairs(rows: int) -> float:
    return 1e7 if rows > 200_000 else 2e6


def _filled(connection: duckdb.DuckDBPyConnection, table: str) -> set[str]:
    """Columns that hold at least one value in a hundred rows; an almost empty one cannot be trained."""
    names = [row[0] for row in connection.execute(f"describe {table}").fetchall()]
    counts = f"select count(*), {', '.join(f'count({name})' for name in names)} from {table}"
    total, *filled = connection.execute(counts).fetchall()[0]
    return {name for name, count in zip(names, filled, strict=True) if count * 100 >= total}


def _one(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    return int(connection.execute(query).fetchall()[0][0])  # DuckDB 2 wants a result read to its end
