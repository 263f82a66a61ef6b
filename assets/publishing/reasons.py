"""Why a golden record is held: one sentence with what to do, then whom it is about.

Belongs here: every sentence, and taking a reason apart. Does not: deciding (adopt_*.py, linking.py, plan.py).
Surprise: whom it is about stands last, in brackets, so that reasons are counted by their sentence. Ids only: a reason
never holds a name or an address.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

NO_ORGANISATION = "it has no organisation: give it one at a source, or create the user in HaloPSA by hand"
NO_SITE = "its HaloPSA client has no site: add one there"
GONE = "its HaloPSA record is gone, a person deleted it: restore it there, or leave it out of the sources"
UNUSABLE = "a field of its HaloPSA record cannot be read whole: correct it there, until then nothing is written"
INACTIVE = "it is inactive in HaloPSA, a person retired it: make it active there if it should be kept current"
INACTIVE_CLIENT = "its organisation is inactive in HaloPSA, a person retired it: make the client active there"
SEVERAL_STAMPED = "several HaloPSA records carry its golden id: merge them there"
SEVERAL_CLIENTS = "several HaloPSA clients fit it equally well: merge them there, or correct name and website of one"
RIVALS = "other organisations fit the same HaloPSA client as well as it does: correct name, website or phone there"
DOUBTFUL = (
    "a HaloPSA client has its name or web domain, but something else differs: correct the client if it is the same "
    "company, or create the new one in HaloPSA by hand"
)
TWIN = "it looks like a double of another organisation, by name: merge the two at the sources, or tell them apart there"
TWINS = "it has the name of several organisations and nothing to tell which: add a website or a phone at the sources"
SHARED_HOST = (
    "another organisation has its web domain under another name, and nothing tells them apart: add a phone or an "
    "address at the sources, or merge them there"
)
SEVERAL_USERS_EMAIL = "several users of the client have its e-mail: merge them in HaloPSA"
SEVERAL_USERS_NAME = "several users of the client have its name: add its e-mail to the right one in HaloPSA"
OTHER_NAME = "a user of the client has its e-mail but the name of somebody else: correct whichever is wrong"
RIVAL_CONTACTS = "other contacts fit the same HaloPSA user as well as it does: add the right e-mail to the user there"
OTHER_CLIENT = "a user of another HaloPSA client has its e-mail: move that user there if the person changed jobs"
# Out of the audience, or out of what the mode does (publishing.toml).
SUPPRESSED = "it is on the list `suppressed` of the publishing rules: take it off there if it should be published"
NO_SEGMENT = "it is in none of the segments of the publishing rules: widen them there if it should be published"
NOT_IN_HALO = (
    "HaloPSA does not have it and it is not opted in: create the client in HaloPSA, or add its web domain to `opt_in` "
    "of the publishing rules"
)
ORGANISATION_NOT_IN_HALO = (
    "HaloPSA has no client for its organisation and that is not opted in: create the client in HaloPSA, or add the "
    "organisation's web domain to `opt_in` of the publishing rules"
)
BEYOND_THE_CAP = (
    "its organisation has more contacts than `contacts_per_organisation_max` of the publishing rules lets in: raise it "
    "there, or create the user in HaloPSA"
)
DO_NOT_CALL = (
    "it has a number on a do-not-call list: set `do_not_call` of the publishing rules to withhold just the number"
)
UNVERIFIED = "it has no verified e-mail: set `unverified_email` of the publishing rules to withhold just the address"
SWITCHED_OFF = "the publishing rules switch its entity off: set `mode` or `delivery` there"
CREATE_ONLY = "HaloPSA has it, and the rules only create: set `mode` to upsert if it should be kept current there"
UPDATE_ONLY = "HaloPSA does not have it, and the rules only update: set `mode` to upsert, or create it in HaloPSA"
NOT_TRACKED = "it ended at the sources: set `mode` to tracked if HaloPSA's record should be made inactive"

_ORGANISATION = "its organisation is held, because "
_NOT_THERE = "its organisation is not in HaloPSA yet: it follows as soon as the organisation is there"


def reason(sentence: str, about: Iterable[str] = ()) -> str:
    """`about` are ids: of golden records as they are, of Halo records spelled by `client` or `user`."""
    ids = sorted(about)
    return f"{sentence} [{', '.join(ids)}]" if ids else sentence


def sentence_of(text: str | None) -> str:
    """The reason without whom it is about."""
    return (text or "no reason noted").split(" [")[0]


def missing(fields: Iterable[str]) -> str:
    names = " and no ".join(name.replace("_", " ") for name in fields)
    return f"it has no {names}, which HaloPSA demands: add it at a source, or create the record in HaloPSA by hand"


def still_active(objection: str) -> str:
    return (
        f"it ended at the sources and is still active in HaloPSA, because {objection}: make it inactive there by hand"
    )


def unusable(resource: str, halo_id: int, faults: Mapping[str, str]) -> str:
    """`faults`: field -> why its value cannot be used, without the value."""
    return reason(UNUSABLE, [f"HaloPSA {resource} {halo_id}, field {name}: {fault}" for name, fault in faults.items()])


def client(halo_id: int) -> str:
    return f"HaloPSA client {halo_id}"


def user(halo_id: int) -> str:
    return f"HaloPSA user {halo_id}"


def of_organisation(golden_id: str, state: str | None, why: str | None) -> str:
    """The reason of a contact whose organisation has no client, from what the outbox says of the organisation."""
    if state == "held" and why:
        return reason(_ORGANISATION + sentence_of(why), [golden_id])
    return reason(_NOT_THERE, [golden_id])
