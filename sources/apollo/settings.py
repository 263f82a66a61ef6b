"""Apollo: paths, sizes, caps and limits, each with its reason.

Belongs here: constants. Does not: keys and addresses (`orchestration/settings.py`), behaviour (`client.py` and
`watch.py`).
Left unset on purpose: `updated_since` (Apollo drops unknown parameters silently, so it would look as if it worked).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sources.limiter import RateLimit

BASE_URL = "https://api.apollo.io"
PREFIX = "/api/v1"  # the old `/v1` answers 422 to API callers, or 200 with no rows

PAGE_ROWS = 100  # the vendor's maximum; no default is documented, so it is always sent
SEARCH_ROWS_MAX = 50_000  # 100 rows x 500 pages; page 501 is a 422, not an empty page
DOMAINS_MAX = 1_000  # of one search's q_organization_domains_list
MATCH_IDS_MAX = 10  # of one people/bulk_match

# So much may a search grow while it is walked; more than that, and its total was wrong.
GROWTH_SHARE = 0.02

# A walk of this many stubs is 10,000 free calls. Whoever asks for more has forgotten the filters.
WATCH_ROWS_MAX = 1_000_000

# 90 % of the paid plans' windows (200 a minute, 6,000 an hour, 50,000 a day; enrichment 1,000 a minute): the limits are
# counted per team, and people who work in Apollo need the rest.
SEARCH_LIMITS = (RateLimit(180, 60.0), RateLimit(5_400, 3_600.0), RateLimit(45_000, 86_400.0))
# Of every other route (200 a minute, 400 an hour, 2,000 a day); 2,000 pages are 200,000 saved contacts.
DEFAULT_LIMITS = (RateLimit(180, 60.0), RateLimit(360, 3_600.0), RateLimit(1_800, 86_400.0))
ENRICH_LIMITS = (RateLimit(900, 60.0),)

# Saved contacts and accounts are walked whole this often: a row without a moment, or one that was jumped over, comes
# then at the latest. In between, so much before the cursor is read again.
SAVED_SWEEP_DAYS = 7
SAVED_OVERLAP = timedelta(days=1)

PLACEHOLDER_EMAIL = "email_not_unlocked@domain.com"  # the same for everybody, and it claims to be verified


@dataclass(frozen=True)
class Dimension:
    """One filter along which a search that is too large is split, and the values it takes."""

    filter: str
    values: tuple[str, ...]


# Where most records are stands first: a split stops as soon as the parts reach the whole.
COUNTRIES = Dimension(
    "person_locations",
    (
        *("United States", "United Kingdom", "Canada", "Australia", "Germany", "France", "Netherlands", "Ireland"),
        *("Spain", "Italy", "Sweden", "Belgium", "Switzerland", "Austria", "Denmark", "Norway", "Finland", "Portugal"),
        *("Poland", "Czech Republic", "Greece", "Hungary", "Romania", "Bulgaria", "Croatia", "Slovakia", "Slovenia"),
        *("Estonia", "Latvia", "Lithuania", "Luxembourg", "Malta", "Cyprus", "Iceland", "New Zealand", "India"),
        *(
            "Singapore",
            "Hong Kong",
            "Japan",
            "South Korea",
            "China",
            "Philippines",
            "Malaysia",
            "Indonesia",
            "Thailand",
        ),
        *("Vietnam", "Israel", "United Arab Emirates", "Saudi Arabia", "Turkey", "South Africa", "Nigeria", "Kenya"),
        *("Egypt", "Brazil", "Mexico", "Argentina", "Chile", "Colombia", "Peru", "Ukraine", "Pakistan"),
    ),
)
SENIORITIES = Dimension(
    "person_seniorities",
    (*("entry", "senior", "manager", "director", "c_suite", "vp", "owner", "founder", "head", "partner", "intern"),),
)
HEADCOUNTS = Dimension(
    "organization_num_employees_ranges",
    (
        *("1,10", "11,20", "21,50", "51,100", "101,200", "201,500", "501,1000", "1001,2000", "2001,5000"),
        *("5001,10000", "10001,10000000"),
    ),
)
# Finds people of whom neither the seniority nor the employer's head count is known: nearly everybody has a title.
TITLES = Dimension(
    "person_titles",
    (
        *(
            "manager",
            "director",
            "engineer",
            "executive",
            "president",
            "officer",
            "coordinator",
            "assistant",
            "analyst",
        ),
        *("consultant", "specialist", "technician", "administrator", "supervisor", "owner", "founder", "partner"),
        *("head", "lead", "chief", "representative", "accountant", "developer", "designer", "architect", "nurse"),
        *("teacher", "professor", "attorney", "buyer", "planner", "advisor", "associate", "secretary", "operator"),
    ),
)
SPLIT_BY = (COUNTRIES, SENIORITIES, HEADCOUNTS, TITLES)
