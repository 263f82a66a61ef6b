"""The audience: which golden records are for HaloPSA at all, and which of their values may go there.

Belongs here: judging waiting records by the rules, before each run, and withholding values. Does not: the rules
themselves (rules.py), finding the HaloPSA record of a golden one (adoption.py), which comes before.
Surprise: leaving the audience deletes nothing. The record is `suppressed`, with its reason, and no longer kept current;
it is judged again on every run, so it comes back by itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import sqlalchemy as sa
from transforms.kernels.links import site

from assets.publishing import crosswalk, heads, linking, mapping, outbox, reasons
from assets.publishing.heads import Head
from assets.publishing.ledger import chunked
from assets.publishing.outbox import Verdict
from assets.publishing.rules import EVERYBODY, AudienceRules, Condition, Rules
from assets.publishing.session import Session
from assets.publishing.tables import head as head_table
from assets.publishing.wire import USABLE_EMAIL

_HEADS_PER_READ = 5_000
_SENIORITY = ("owner", "c_suite", "vp", "director", "manager", "senior", "entry")
_CALLED = {"phone": "phone_do_not_call", "mobile": "mobile_do_not_call"}


def review(session: Session, entity: str) -> None:
    """Suppress what waits and is not for HaloPSA, and let back in what was suppressed and is."""
    verdicts: dict[str, Verdict] = {}
    with session.ledger.read() as connection:
        excess = _beyond_the_cap(connection, session.rules) if entity == "contact" else frozenset()
        waiting = outbox.waiting(connection, entity, "upsert")
        for ids in chunked(list(waiting), _HEADS_PER_READ):
            known = outbox.states(connection, ids)
            found = list(heads.by_ids(connection, ids).values())
            for head, reason in _judged(session, connection, entity, found, excess):
                verdict = _verdict(head, reason, *known[head.golden_id])
                if verdict is not None:
                    verdicts[head.golden_id] = verdict
    session.settle(verdicts)


def close(session: Session, entity: str, action: str, sentence: str) -> None:
    """Suppress all of `entity` that waits for `action`, because the rules switch it off as a whole."""
    with session.ledger.read() as connection:
        waiting = outbox.waiting(connection, entity, action)
        known = outbox.states(connection, list(waiting))
    session.settle(
        {
            golden_id: Verdict(version, "suppressed", sentence)
            for golden_id, version in waiting.items()
            if known[golden_id] != ("suppressed", sentence)
        }
    )


def released(rules: AudienceRules, content: Mapping[str, Any]) -> dict[str, Any]:
    """Golden columns without the values that may not leave: dead addresses, numbers on a do-not-call list."""
    withheld = set()
    if rules.unverified_email != "publish" and content.get("email_status") not in USABLE_EMAIL:
        withheld.add("email")
    if rules.do_not_call != "publish":
        withheld |= {number for number, flag in _CALLED.items() if content.get(flag)}
    return {name: value for name, value in content.items() if name not in withheld}


def own_reason(rules: AudienceRules, head: Head) -> str | None:
    """Why a record is out for what it is, whatever HaloPSA holds; None where it may be in."""
    if rules.suppressed and _handles(head) & rules.suppressed:
        return reasons.SUPPRESSED
    segments = getattr(rules.segments, head.entity)
    if segments and not any(_meets(head.content, conditions) for conditions in segments.values()):
        return reasons.NO_SEGMENT
    if head.entity != "contact":
        return None
    if rules.do_not_call == "leave_out" and any(head.content.get(flag) for flag in _CALLED.values()):
        return reasons.DO_NOT_CALL
    if rules.unverified_email == "leave_out" and head.content.get("email_status") not in USABLE_EMAIL:
        return reasons.UNVERIFIED
    return None


def _judged(
    session: Session, connection: sa.Connection, entity: str, found: list[Head], excess: frozenset[str]
) -> Iterator[tuple[Head, str | None]]:
    rules = session.rules
    links = crosswalk.by_ids(connection, mapping.MAIN_RESOURCE[entity], [head.golden_id for head in found])
    seats = {head.golden_id: linking.seat(session, head) or "" for head in found} if entity == "contact" else {}
    organisations = _organisations_in(session, connection, found, seats)
    for head in found:
        is_linked = head.golden_id in links
        reason = own_reason(rules.audience, head)
        if reason is None and not is_linked and rules.mode_of(entity) == "update_only":
            reason = reasons.UPDATE_ONLY
        if reason is None and not is_linked and head.golden_id in excess:
            reason = reasons.BEYOND_THE_CAP
        if reason is None and not is_linked and seats.get(head.golden_id, head.golden_id) not in organisations:
            reason = reasons.NOT_IN_HALO if entity == "organisation" else reasons.ORGANISATION_NOT_IN_HALO
        yield head, reason


def _organisations_in(
    session: Session, connection: sa.Connection, found: list[Head], seats: Mapping[str, str]
) -> set[str]:
    """Golden organisations whose records may be in HaloPSA: it has them, it may have them, or they are opted in."""
    ids = sorted(set(seats.values())) if seats else [head.golden_id for head in found]
    rules = session.rules.audience
    if not rules.in_halo_only or EVERYBODY in rules.opt_in:
        return {*ids, ""}
    inside = {*crosswalk.by_ids(connection, mapping.CLIENT, ids), *session.near}
    if rules.opt_in:
        parents = heads.by_ids(connection, ids).values() if seats else found
        inside |= {head.golden_id for head in parents if _handles(head) & rules.opt_in}
    return inside


def _verdict(head: Head, reason: str | None, state: str, known: str | None) -> Verdict | None:
    """What to write down, None where it stands there already."""
    if reason is not None:
        return None if (state, known) == ("suppressed", reason) else Verdict(head.version, "suppressed", reason)
    is_back = state == "suppressed" and known != reasons.CREATE_ONLY
    return Verdict(head.version, "pending") if is_back else None


def _handles(head: Head) -> set[str]:
    """By what a list may name a record: golden id, web domain, e-mail address."""
    content = head.content
    email = str(content.get("email") or "").strip().casefold()
    named = {head.golden_id, email}
    if head.entity == "organisation":
        named |= {site(str(content.get(name) or "")) or "" for name in ("domain", "website")}
    else:
        named |= {site(email.rpartition("@")[2]) or "", str(content.get("organisation_golden_id") or "")}
    return named - {""}


def _meets(content: Mapping[str, Any], conditions: Iterable[Condition]) -> bool:
    return all(_holds(condition, content.get(condition.field)) for condition in conditions)


def _holds(condition: Condition, value: Any) -> bool:
    if condition.present is not None and (value is not None) != condition.present:
        return False
    if condition.none_of is not None and value in condition.none_of:
        return False
    if condition.any_of is not None and value not in condition.any_of:
        return False
    if condition.min is None and condition.max is None:
        return True
    if not isinstance(value, int | float):
        return False
    return (condition.min is None or value >= condition.min) and (condition.max is None or value <= condition.max)


def _beyond_the_cap(connection: sa.Connection, rules: Rules) -> frozenset[str]:
    """Contacts without a HaloPSA user that are too many for their organisation."""
    cap = rules.audience.contacts_per_organisation_max
    live = (head_table.c.entity == "contact", head_table.c.is_live)
    crowded = connection.scalars(
        sa.select(head_table.c.parent_golden_id)
        .where(*live, head_table.c.parent_golden_id.is_not(None))
        .group_by(head_table.c.parent_golden_id)
        .having(sa.func.count() > cap)
    ).all()
    excess: set[str] = set()
    for some in chunked(crowded, 100):
        query = sa.select(head_table.c.golden_id).where(*live, head_table.c.parent_golden_id.in_(some))
        ids = list(connection.scalars(query))
        links = crosswalk.by_ids(connection, mapping.USER, ids)
        ranked: dict[str, list[tuple[bool, bool, int, str]]] = defaultdict(list)
        for head in heads.by_ids(connection, ids).values():
            if own_reason(rules.audience, head) is None:
                ranked[head.content["organisation_golden_id"]].append(_rank(head, is_linked=head.golden_id in links))
        excess |= {golden_id for people in ranked.values() for *_, golden_id in sorted(people)[cap:]}
    return frozenset(excess)


def _rank(head: Head, *, is_linked: bool) -> tuple[bool, bool, int, str]:
    """Whom HaloPSA has comes first, then who can be written to, then the most senior."""
    seniority = str(head.content.get("seniority"))
    place = _SENIORITY.index(seniority) if seniority in _SENIORITY else len(_SENIORITY)
    return not is_linked, head.content.get("email_status") not in USABLE_EMAIL, place, head.golden_id
