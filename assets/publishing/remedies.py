"""What to do about each class of failure of a write.

Belongs here: one sentence per class of `WriteOutcome.error_class`. Does not: reasons of our own not to write
(reasons.py), telling the class from an answer (sources/halopsa/errors.py).
Surprise: HaloPSA's own words are not repeated, for they may hold personal data; they are in the ledger's `effect`.
"""

from __future__ import annotations

from collections.abc import Mapping

_AT_SOURCE = "correct the value at its source; HaloPSA's own words are in ops.effect"
_WAIT = "nothing: the next run looks again; if it goes on, look at the state of HaloPSA"

REMEDIES: Mapping[str, str] = {
    "mandatory_field": "set a default in `create_defaults` of the publishing rules, or make it optional in HaloPSA",
    "duplicate": "merge or correct the other record in HaloPSA, or loosen its rule of uniqueness",
    "unknown_id": "restore the client or site in HaloPSA; the next reading of HaloPSA clears up the rest",
    "not_found": "restore the record in HaloPSA, or leave it out of the sources",
    "model": _AT_SOURCE,
    "validation": _AT_SOURCE,
    "unauthorised": "renew the client id and secret of the API application in HaloPSA",
    "forbidden": "give the API application edit:customers, and its agent the right to edit this client",
    "rate_limited": "nothing: it is sent by the next run; if it goes on, lower SOURCES__HALOPSA__CALLS_PER_WINDOW",
    "not_sent": _WAIT,
    "unreachable": _WAIT,
    "server": _WAIT,
    "unreadable": _WAIT,
}
# Of the account and not of the record: they say nothing against it, however often they come.
OF_THE_ACCOUNT = frozenset({"rate_limited", "not_sent", "unauthorised", "forbidden"})


def remedy(error_class: str) -> str:
    return REMEDIES.get(error_class, _AT_SOURCE)
