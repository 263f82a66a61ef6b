"""ZoomInfo's paths, caps, limits and fields, each with its reason.

Belongs here: constants. Does not: secrets and addresses of a deployment (`orchestration/settings.py`).
Surprise: `OUTPUT_FIELDS` leaves out education, hashed e-mails, skills and engagements on purpose: they are long, they
are personal, and nothing downstream uses them.
"""

from __future__ import annotations

from dataclasses import dataclass

from sources.limiter import RateLimit

SOURCE = "zoominfo"
MEDIA_TYPE = "application/vnd.api+json"  # plain application/json is answered with 406 on several routes

TOKEN_PATH = "/gtm/oauth/v1/token"
DATA_PATH = "/gtm/data/v1"
USAGE_PATH = f"{DATA_PATH}/users/usage"
LOOKUP_PATH = f"{DATA_PATH}/lookup"

# The documentation's samples live about 1,000 s; a token is renewed this long before its end.
TOKEN_MARGIN_S = 60.0
TOKEN_LIFETIME_S_DEFAULT = 300.0  # where `expires_in` is no number

PAGE_ROWS = 100  # the largest page; only with it do 100 pages reach 10,000 rows
PAGE_NUMBER_MAX = 100
SEARCH_ROWS_MAX = PAGE_ROWS * PAGE_NUMBER_MAX  # what one query yields at most (PFAPI0006 beyond)
ENRICH_INPUTS_MAX = 25

# 80 % of the smallest package (Builder: 5 a second, 10,800 an hour, 129,600 a day); other tools share the account.
RATE_LIMITS = (RateLimit(4, 1.0), RateLimit(8_640, 3_600.0), RateLimit(103_680, 86_400.0))

# The legacy API: 25 a second and 1,500 a minute; 80 % of that. Its JWT lives 60 minutes and is renewed after 55.
LEGACY_LIMITS = (RateLimit(20, 1.0), RateLimit(1_200, 60.0))
LEGACY_TOKEN_PATH = "/authenticate"
LEGACY_TOKEN_S = 55 * 60.0
LEGACY_OUT_OF_CREDITS = "allowed record limit"

# Re-enriching a record under management is free, so rows are kept for a few calls and written together: 500 rows lost
# to a kill are bought again for nothing, while a file a call would make tens of thousands of tiny files.
ARCHIVE_ROWS = 500

# Rows without a date never match `lastUpdatedDateAfter`, and a company's search row hides most of its fields. So once
# a day everything is walked again and undated records under management are read again; both are free, and 10,000
# companies take 400 calls, two minutes of the smallest package.
SWEEP_DAYS = 1

# So much may a search grow while it is walked (buying itself moves rows from one root to the other); more than that,
# and its total was wrong.
GROWTH_SHARE, GROWTH_ROWS = 0.02, 1

SCORE, SCORE_FILTER = "contactAccuracyScore", "contactAccuracyScoreMin"

OUT_OF_CREDITS = "PFAPI0011"
# Answers of enrich that carry a record; all other statuses are misses and free.
MATCHED_STATUSES = frozenset({"FULL_MATCH", "CONTACT_ONLY_MATCH", "COMPANY_ONLY_MATCH"})


@dataclass(frozen=True)
class EntityRoutes:
    """How one entity is searched and enriched."""

    entity: str
    folder: str
    search_type: str
    enrich_type: str
    inputs_key: str
    id_key: str
    sort: str
    roots: tuple[dict[str, object], ...]
    scores: range  # the accuracy scores there are; empty where there is no such filter
    splits: tuple[str, ...]  # what a query above the cap is split by, in this order, where scores do not do
    output_fields: tuple[str, ...]


CONTACT = EntityRoutes(
    entity="contact",
    folder="contacts",
    search_type="ContactSearch",
    enrich_type="ContactEnrich",
    inputs_key="matchPersonInput",
    id_key="personId",
    sort="lastName",
    # A contact search needs a criterion. These two together match everybody, whichever way `false` is read
    # ("not under management" or "do not filter").
    roots=({"underManagement": True}, {"underManagement": False}),
    scores=range(70, 100),  # what `contactAccuracyScoreMin` takes
    # The level first: nearly every contact has one, while a country or an employer is missing now and then.
    splits=("managementLevel", "country", "state", "employees"),
    output_fields=(
        "id", "firstName", "middleName", "lastName", "suffix", "email", "phone", "mobilePhone",
        "directPhoneDoNotCall", "mobilePhoneDoNotCall", "street", "city", "state", "zipCode", "country",
        "jobTitle", "jobFunction", "managementLevel", "contactAccuracyScore", "externalUrls", "personHasMoved",
        "noticeProvidedDate", "withinEu", "withinCalifornia", "withinCanada", "lastUpdatedDate", "validDate",
        "companyId", "companyName", "companyPhone", "companyWebsite",
    ),
)  # fmt: skip
COMPANY = EntityRoutes(
    entity="organisation",
    folder="companies",
    search_type="CompanySearch",
    enrich_type="CompanyEnrich",
    inputs_key="matchCompanyInput",
    id_key="companyId",
    sort="name",
    roots=({},),
    scores=range(0),
    splits=("country", "state", "employees"),
    output_fields=(
        "id", "name", "website", "domainList", "phone", "street", "city", "state", "zipCode", "country",
        "employeeCount", "employeeRange", "revenue", "primaryIndustry", "socialMediaUrls", "foundedYear", "ticker",
        "companyStatus", "parentId", "parentName", "description", "lastUpdatedDate",
    ),
)  # fmt: skip

# Head counts that a query is split by, lower and upper bound included.
EMPLOYEE_RANGES = (
    (0, 4), (5, 9), (10, 19), (20, 34), (35, 49), (50, 74), (75, 99), (100, 149), (150, 249), (250, 499),
    (500, 999), (1_000, 2_499), (2_500, 4_999), (5_000, 9_999), (10_000, 10_000_000),
)  # fmt: skip
