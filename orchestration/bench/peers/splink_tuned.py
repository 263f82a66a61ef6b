"""Splink tuned by hand for business contacts and organisations: the peer to beat.

Belongs here: thorough cleaning in SQL, comparisons and rules. Does not: the tutorials' way (splink_plain.py).
Surprise: company, domain and name together are one comparison, so that colleagues are not glued by counting the same
employer three times; the same domain with another mailbox is a level of its own, and learns to speak against.
"""

from __future__ import annotations

from typing import Any

import splink.comparison_level_library as cll
import splink.comparison_library as cl
from splink_model import Model, exact, possible, random_pairs

LEGAL_FORMS = (
    "incorporated|inc|corporation|corp|company|co|llc|llp|lp|ltd|limited|plc|gmbh|ag|kg|sa|sas|sarl|srl|spa|bv|nv|ab"
    "|oy|as|aps|pty|pte|holding|holdings|group"
)
ROLES = (
    "info|sales|contact|office|admin|support|hello|mail|enquiries|enquiry|hr|jobs|billing|accounts|service|team"
    "|marketing|reception|kontakt|vertrieb|noreply"
)
FREE_MAIL = "gmail|googlemail|yahoo|hotmail|outlook|live|msn|aol|icloud|me|gmx|web|proton|protonmail"


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


def contact_sql(filled: set[str]) -> str:
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


def contact(have: set[str], rows: int) -> Model:
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
        "phone": exact,
        "linkedin": cl.ExactMatch,
        "city": exact,
        "job_title": lambda name: cl.JaroWinklerAtThresholds(name, [0.9]),
    }
    comparisons: list[Any] = [cl.NameComparison("first_name"), cl.NameComparison("last_name")]
    comparisons += [email] if "email" in have else []
    comparisons += [organisation] if {"domain", "company"} & have else []
    return Model(
        comparisons=[*comparisons, *(make(name) for name, make in singles.items() if name in have)],
        prediction_rules=possible(
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
        certain_rules=possible(have, [("email",), ("linkedin",), ("first_name", "last_name", "domain")]),
        certain_recall=0.85,
        training_rules=possible(have, [("first_name", "last_name"), ("email",)]),
        random_pairs=random_pairs(rows),
    )


def organisation_sql(filled: set[str]) -> str:
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


def organisation(have: set[str], rows: int) -> Model:
    """Training on phone before domain did better on real sites with few domains, and the same elsewhere."""
    makers = {
        "name": lambda name: cl.JaroWinklerAtThresholds(name, [0.95, 0.88, 0.8]).configure(
            term_frequency_adjustments=True
        ),
        "domain": exact,
        "phone": cl.ExactMatch,
        "linkedin_url": cl.ExactMatch,
        "street": lambda name: cl.JaroWinklerAtThresholds(name, [0.9]),
        "city": exact,
        "postcode": cl.ExactMatch,
        "country": exact,
    }
    single = ("domain", "phone", "linkedin_url", "left(name, 7)", "postcode", "name")
    return Model(
        comparisons=[make(name) for name, make in makers.items() if name in have],
        prediction_rules=possible(have, [(name,) for name in single]),
        certain_rules=possible(have, [("domain",), ("name", "phone"), ("name", "street"), ("linkedin_url",)]),
        certain_recall=0.8,
        training_rules=[("name",), *possible(have, [("phone",), ("domain",), ("street",)])[:1]],
        random_pairs=random_pairs(rows),
    )
