"""Retiring: a golden record that ended is made inactive in HaloPSA, where that is ours to do.

Belongs here: which retired records may be deactivated, and doing it. Does not: merges of links (linking.py).
Surprise: only what we created and nobody has touched since is deactivated; everything else is held for a person.
Nothing is ever deleted.
"""

from __future__ import annotations

from sources.http import VendorError

from assets.publishing import crosswalk, mapping, mirror, outbox, plan, reasons
from assets.publishing.crosswalk import Link
from assets.publishing.effects import Draft
from assets.publishing.mirror import HaloRecord
from assets.publishing.outbox import Verdict
from assets.publishing.session import Session, Stopped


def retire_entity(session: Session, entity: str) -> None:
    """Settle every retired record of `entity` that waits."""
    resource = mapping.MAIN_RESOURCE[entity]
    with session.ledger.read() as connection:
        waiting = outbox.waiting(connection, entity, "retire")
        links = crosswalk.by_ids(connection, resource, list(waiting))
    verdicts: dict[str, Verdict] = {}
    try:
        for golden_id, version in waiting.items():
            session.check_brakes()
            link = links.get(golden_id)
            verdicts[golden_id] = (
                Verdict(version, "published") if link is None else _retire(session, entity, link, version)
            )
    except (VendorError, Stopped):
        session.settle(verdicts)
        raise
    session.settle(verdicts)


def _retire(session: Session, entity: str, link: Link, version: int) -> Verdict:
    detail = session.halo.get(link.resource, link.halo_id)  # type: ignore[arg-type]
    now = None if detail is None else mirror.read_payload(link.resource, detail)
    if now is None or now.is_inactive:
        return Verdict(version, "published")
    objection = _objection(session, link, now)
    if objection is not None:
        return Verdict(version, "held", reasons.still_active(objection))
    draft = Draft(
        link.golden_id,
        entity,
        version,
        link.resource,
        "deactivate",
        values={},
        body={"inactive": True},
        link=link,
        now=now,
    )
    return session.send_one(draft) or Verdict(version, "published")


def _objection(session: Session, link: Link, now: HaloRecord) -> str | None:
    """Why a person must decide, None where we may."""
    if link.origin != "created":
        return "it was there before us"
    if not plan.untouched(link, now):
        return "a person has changed it since"
    if link.resource != mapping.CLIENT:
        return None
    with session.ledger.read() as connection:
        site = crosswalk.by_ids(connection, mapping.SITE, [link.golden_id]).get(link.golden_id)
        sites = {} if site is None else mirror.by_ids(connection, mapping.SITE, [site.halo_id])
        users = mirror.of_client(connection, mapping.USER, link.halo_id)
    if site is not None and site.halo_id in sites and not plan.untouched(site, sites[site.halo_id]):
        return "a person has changed its main site since"
    if any(not user.is_general and not user.is_inactive for user in users):
        return "it still has active users"
    return None
