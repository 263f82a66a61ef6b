"""UpLead's paths, caps and limits, each with its reason.

Belongs here: constants. Does not: secrets and addresses of a deployment (`orchestration/settings.py`).
Surprise: there is no `/person`, `/company` or `/prospector`; every path that finds something ends in `-search`.
"""

from __future__ import annotations

from sources.limiter import RateLimit

SOURCE = "uplead"

API_PATH = "/v2"
CREDITS_PATH = f"{API_PATH}/credits"
PRO_SEARCH_PATH = f"{API_PATH}/prospector-pro-search"  # Professional plan; the company is nested
DOMAIN_SEARCH_PATH = f"{API_PATH}/prospector-search"  # every plan; one domain a call, no company
COMPANY_SEARCH_PATH = f"{API_PATH}/company-search"

PAGE_ROWS = 100  # the largest page
PAGES_MAX = 20_000  # UpLead documents no cap; this bounds a walk whose `last_page` never comes

# 80 % of the documented 500 a minute and key; a key is shared with the browser extension and other tools.
RATE_LIMITS = (RateLimit(400, 60.0),)

# Contacts with these states of address cost a credit; the others are returned for nothing.
BILLED_STATUSES = frozenset({"valid", "accept_all"})

# So much may a search grow while it is walked; more than that, and its count was wrong.
GROWTH_SHARE = 0.02

# The same record is not charged again, so pages are archived together: what a kill loses is read again for nothing.
ARCHIVE_ROWS = 500
