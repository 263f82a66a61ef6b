"""HaloPSA: paths, sizes, limits and quiet flags, each with its reason.

Belongs here: constants, and the defaults that a tenant's configuration may add to. Does not: addresses and secrets
(`orchestration/settings.py`), which golden field becomes which Halo field (`assets/publishing`).
Left unset on purpose: `lastupdatefromdate` (unproven on Client, Site and Users; an ignored filter would look like a
full read), `advanced_search` (fields outside a per-version whitelist are a 400), DELETE and the `_merge_*` fields
(nothing is ever deleted or merged in Halo), `X-Halo-Api-Key` (401 on some writes).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

Resource = Literal["Client", "Site", "Users"]

RESOURCES: tuple[Resource, ...] = ("Client", "Site", "Users")
LIST_KEY: Mapping[str, str] = {"Client": "clients", "Site": "sites", "Users": "users"}
# The mirror's tables, in our words.
TABLE: Mapping[str, str] = {"Client": "client", "Site": "site", "Users": "user"}

TOKEN_PATH = "/auth/token"
API = "/api"
SCOPE = "read:customers edit:customers"  # all we touch; "all" would let a leaked secret read tickets
TOKEN_MARGIN_S = 60.0  # renewed this early, so that no call leaves with a token that dies on the way
TOKEN_S_MAX = 86_400.0  # whatever a server says about `expires_in`, a token is renewed once a day

CALLS_PER_WINDOW = 240  # 80 % of the 300 that Halo's own 429 text names; people need the rest
WINDOW_S = 300.0
CALLS_AT_ONCE_MAX = 4  # no limit is published; a few are enough to fill the window, and people share the server

# Asked for always, and never trusted: caps of 50 and of 100 were seen, whatever is asked.
PAGE_ROWS = 100
PAGE_ROWS_CAP_MIN = 50
# A walk re-reads while passes bring new rows; alternate passes run from the other end, so a server that drops the same
# page twice is found out. Four passes are two in each direction.
PASSES_MAX = 4
# `record_count` is sometimes wrong (two public clients). Two directions that agree are believed against it if they
# differ by no more than this share, or by three rows.
COUNT_ERROR_SHARE_MAX = 0.02
COUNT_ERROR_ROWS_MAX = 3
ROWS_MAX = 2_000_000  # a server that invents new ids for ever must end some day

# Pages of the change log that one reconciliation may cost at most: 20,000 changes, a little more than four minutes of
# the default budget. A tenant that does more between two of them is read as far, and is told so.
AUDIT_PAGES_MAX = 200

# A mirror that lost more than half since the last good load is a restricted agent or a broken list, not a clean-up.
SHRINK_SHARE_MAX = 0.5

# Update arrays: no limit is published; 25 keeps a lost answer small and is what facts/halopsa.md section 9 advises.
BATCH_ROWS_MAX = 25
PROBE_ROWS = 2  # the first array of a resource: large enough to see whether all come back, small if one does not
RATE_ATTEMPTS_MAX = 12  # of a write that was answered 429, which means it was not applied: half an hour at least

# The custom field that carries the golden id, made by an admin on clients, sites and users. Names travel, ids do not.
GOLDEN_ID_FIELD = "CFGoldenId"
# FieldInfo's `typeid` of each resource. That of users is public nowhere: it is whatever is none of the known ones.
FIELD_TYPE_ID: Mapping[str, int] = {"Client": 2, "Site": 3}
FIELD_TYPE_IDS_OF_OTHERS = frozenset({1, 5})  # tickets, assets

# Lists are thin and hide what is inactive; this is what the mirror and look-ups ask for on top. `include_website` and
# `include_custom_fields` are newer than the public OpenAPI file and are ignored by older tenants.
LIST_PARAMETERS: Mapping[str, Mapping[str, str]] = {
    "Client": {"includeinactive": "true", "include_website": "true"},
    "Site": {"includeinactive": "true", "includeaddress": "true"},
    "Users": {"includeinactive": "true"},
}

# Quiet flags. Nobody may get mail, and no automation may start, because data were tidied. Best effort: their effect is
# undocumented. The mailing flags go out on creation only: on an update they would overwrite a person's own choice.
QUIET_ALWAYS: Mapping[str, Mapping[str, Any]] = {resource: {"_dont_fire_automations": True} for resource in RESOURCES}
QUIET_ON_CREATE: Mapping[str, Mapping[str, Any]] = {
    "Client": {},
    "Site": {},
    "Users": {"sendwelcomeemail": False, "dontaddtomailinglist": True},
}

# A tenant may make any field mandatory (relationship, top level, a custom field); configuration adds to these.
CREATE_DEFAULTS: Mapping[str, Mapping[str, Any]] = {"Client": {"toplevel_id": 1}, "Site": {}, "Users": {}}
