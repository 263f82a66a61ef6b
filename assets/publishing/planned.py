"""A planned effect: one write to HaloPSA as it is foreseen, and whether a write that is about to happen is that one.

Belongs here: the comparable form of a write, its keyed digest, and the two gates that every write passes: one notes it,
one lets only planned ones through. Does not: finding out which writes there will be (rehearsal.py), the file
(planfile.py).
Surprise: a site that does not exist yet has no number, so a user's place is told by the golden organisation it belongs
to; that also holds after the organisation got its site.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import sqlalchemy as sa

from assets.publishing import mapping
from assets.publishing.effects import Draft
from assets.publishing.ledger import Ledger
from assets.publishing.merge import Value
from assets.publishing.tables import crosswalk

NEW_ID_MIN = 10**15  # ids from here on are those of a rehearsal; no tenant counts so far

NOT_PLANNED = "it is not in the plan"
BASE_MOVED = "HaloPSA's record has changed since the plan"
GOLDEN_MOVED = "the golden record has changed since the plan"

Gate = Callable[[Draft], str | None]  # why a write must not happen, None where it may
Key = tuple[str, str, str]


@dataclass(frozen=True)
class PlannedEffect:
    """One write: per field the value before and after; `halo_id` None where the record is yet to be created."""

    golden_id: str
    entity: str
    resource: str
    operation: str
    halo_id: int | None
    changes: dict[str, tuple[Value, Value]] = field(default_factory=dict)
    is_stamping: bool = False
    is_waking: bool = False

    @property
    def key(self) -> Key:
        return self.golden_id, self.resource, self.operation

    def base_digest(self, secret: str) -> str:
        """Of what HaloPSA held in the fields that are written."""
        return _keyed(secret, [*self.key, {name: before for name, (before, _) in self.changes.items()}])

    def digest(self, secret: str) -> str:
        """Of the whole effect. Keyed: a bare hash of a phone number is guessed in seconds."""
        changes = {name: list(pair) for name, pair in self.changes.items()}
        return _keyed(secret, [*self.key, changes, self.is_stamping, self.is_waking])


@dataclass(frozen=True)
class Promise:
    """What a plan promised of one effect, as far as it must be known to tell drift."""

    entity: str
    halo_id: int | None
    base: str
    digest: str


class Places:
    """Site id -> the golden organisation whose site it is."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._owners: dict[int, str] = {}

    def canonical(self, name: str, value: Value) -> Value:
        """A site id as `site of <golden id>` where it is one of ours; any other value as it is."""
        if name != "site_id" or not isinstance(value, int):
            return value
        if value not in self._owners:
            query = sa.select(crosswalk.c.golden_id).where(
                crosswalk.c.resource == mapping.SITE, crosswalk.c.halo_id == value
            )
            with self._ledger.read() as connection:
                owner = connection.scalar(query)
            if owner is None:
                return value
            self._owners[value] = owner
        return f"site of {self._owners[value]}"


class Recorder:
    """The gate of a rehearsal: lets everything through and notes it, in order."""

    def __init__(self, ledger: Ledger) -> None:
        self._places = Places(ledger)
        self.effects: dict[Key, PlannedEffect] = {}

    def __call__(self, draft: Draft) -> None:
        effect = effect_of(draft, self._places)
        self.effects[effect.key] = effect


class Checker:
    """The gate of `apply`: lets through what was promised, and notes what was not."""

    def __init__(self, ledger: Ledger, promises: Mapping[Key, Promise], secret: str) -> None:
        self._places = Places(ledger)
        self._promises = promises
        self._secret = secret
        self.passed: dict[Key, PlannedEffect] = {}
        self.refused: dict[Key, str] = {}

    def __call__(self, draft: Draft) -> str | None:
        effect = effect_of(draft, self._places)
        reason = self._objection(effect)
        if reason is None:
            self.passed[effect.key] = effect
            self.refused.pop(effect.key, None)
        else:
            self.refused[effect.key] = reason
        return reason

    def _objection(self, effect: PlannedEffect) -> str | None:
        promise = self._promises.get(effect.key)
        if promise is None:
            return NOT_PLANNED
        if promise.halo_id is not None and promise.halo_id != effect.halo_id:
            return BASE_MOVED
        if hmac.compare_digest(promise.digest, effect.digest(self._secret)):
            return None
        is_same_base = hmac.compare_digest(promise.base, effect.base_digest(self._secret))
        return GOLDEN_MOVED if is_same_base else BASE_MOVED


def effect_of(draft: Draft, places: Places) -> PlannedEffect:
    """The comparable form of a write that is about to happen."""
    now = draft.now.fields if draft.now is not None and draft.operation != "create" else {}
    halo_id = None if draft.link is None or draft.link.halo_id >= NEW_ID_MIN else draft.link.halo_id
    return PlannedEffect(
        golden_id=draft.golden_id,
        entity=draft.entity,
        resource=draft.resource,
        operation=draft.operation,
        halo_id=halo_id,
        changes={
            name: (places.canonical(name, now.get(name)), places.canonical(name, value))
            for name, value in draft.values.items()
        },
        is_stamping=draft.is_stamping,
        is_waking=draft.body.get("inactive") is False,
    )


def _keyed(secret: str, parts: object) -> str:
    text = json.dumps(parts, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hmac.new(bytes.fromhex(secret), text.encode(), hashlib.sha256).hexdigest()
