"""What the steps of one publishing run share: stores, clock, Halo, tallies, and when to stop.

Belongs here: the run's state and its two brakes (time is up; Halo does not answer). Does not: any step itself.
Surprise: failures are counted in a row, not in all; one lost answer among thousands is the protocol's daily bread.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sources.clock import Clock
from sources.halopsa.settings import GOLDEN_ID_FIELD

from assets.publishing import mapping, outbox, remedies
from assets.publishing.adopt_organisations import StandIn
from assets.publishing.effects import Draft, EffectLog, Sent
from assets.publishing.halo import Halo
from assets.publishing.ledger import Ledger
from assets.publishing.outbox import Verdict
from assets.publishing.planned import Gate
from assets.publishing.rules import Rules

FAILURES_IN_A_ROW_MAX = 5

Progress = Callable[[str, int, int], None]


class Stopped(Exception):
    """Publishing ends early, everything unsent stays in the outbox."""


@dataclass
class PublishResult:
    """What a run did (`created`, `updated`) and where the golden records stand after it (the rest)."""

    created: int = 0
    updated: int = 0
    retired: int = 0
    unchanged: int = 0
    held: int = 0
    suppressed: int = 0
    rejected: int = 0
    unknown: int = 0
    remaining: int = 0
    conflicts: int = 0
    writes: dict[str, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)  # what kept this run from being whole
    waiting: list[str] = field(default_factory=list)  # records that wait for a person, counted by reason


@dataclass
class Session:
    """One run of the publisher, under one lease."""

    ledger: Ledger
    clock: Clock
    halo: Halo
    log: EffectLog
    reach: Callable[[str], None]
    progress: Progress
    deadline_at: float | None
    rules: Rules
    gate: Gate = lambda draft: None
    result: PublishResult = field(default_factory=PublishResult)
    created: set[str] = field(default_factory=set)
    updated: set[str] = field(default_factory=set)
    adoption_holds: dict[str, str] = field(default_factory=dict)
    stand_ins: dict[str, StandIn] = field(default_factory=dict)  # by held organisation
    near: dict[str, frozenset[int]] = field(default_factory=dict)  # by held organisation: clients it may be
    fresh_sites: set[str] = field(default_factory=set)  # golden ids whose main site this very run made, blank
    suspects: set[str] = field(default_factory=set)  # golden ids whose last write failed: they travel alone
    _failures: int = 0
    _failed_by: str = ""  # class of the last failure
    _acked: int = 0
    _stamp_fields: dict[str, int | None] | None = None

    def stamp_field(self, resource: str) -> int | None:
        """Id of the custom field for the golden id, read once a run and only when it is needed."""
        if self._stamp_fields is None:
            self._stamp_fields = {
                mapping.CLIENT: self.halo.golden_id_field("Client"),
                mapping.USER: self.halo.golden_id_field("Users"),
            }
            for name in [name for name, field_id in self._stamp_fields.items() if field_id is None]:
                self.result.problems.append(
                    f"HaloPSA has no custom field {GOLDEN_ID_FIELD} on {name}: look-ups go by name and e-mail until an "
                    "admin adds it."
                )
        return self._stamp_fields.get(resource)

    def admitted(self, drafts: list[Draft], verdicts: dict[str, Verdict]) -> list[Draft]:
        """Those of `drafts` that this run may send; the others get their verdict and wait for the next run."""
        found = []
        for draft in drafts:
            refusal = self.gate(draft)
            if refusal is None:
                found.append(draft)
            else:
                verdicts[draft.golden_id] = Verdict(draft.version, "pending", refusal)
        return found

    def send(self, effect_id: int, draft: Draft) -> Sent:
        """Send one durable draft and count it."""
        sent = self.log.send(effect_id, draft)
        self.note_sent([sent])
        return sent

    def note_sent(self, sent: Sequence[Sent]) -> None:
        """Count what one request brought; a request fails where Halo judged none of its records."""
        for one in sent:
            if one.is_acked:
                self._acked += 1
                self._count(one.draft)
            elif one.outcome.kind == "unknown":
                self.suspects.add(one.draft.golden_id)
        self._failed_by = next((one.outcome.error_class for one in sent if not one.is_acked), self._failed_by)
        is_judged = (one.is_acked or (one.outcome.kind == "rejected" and not one.outcome.is_retryable) for one in sent)
        self._failures = 0 if any(is_judged) else self._failures + 1

    def send_one(self, draft: Draft) -> Verdict | None:
        """The whole protocol for one draft; None where it was applied."""
        refusal = self.gate(draft)
        if refusal is not None:
            return Verdict(draft.version, "pending", refusal)
        sent = self.send(self.log.begin([draft])[0], draft)
        self.log.settle([sent])
        return verdict_of(sent)

    def check_brakes(self) -> None:
        """Raises Stopped where time is up or Halo fails every time."""
        if self.deadline_at is not None and self.clock.time() >= self.deadline_at:
            raise Stopped("The time of this run is up")
        if self._failures >= FAILURES_IN_A_ROW_MAX:
            why = f" ({self._failed_by}): {remedies.remedy(self._failed_by)}" if self._failed_by else ""
            raise Stopped(f"HaloPSA failed {self._failures} writes in a row{why}")

    def settle(self, verdicts: dict[str, Verdict]) -> None:
        """Write verdicts. A failure speaks against its record only in a run in which others succeeded: while HaloPSA is
        down nobody is parked."""
        if not self._acked:
            verdicts = {name: verdict._replace(is_counted=False) for name, verdict in verdicts.items()}
        self.reach("before_verdicts")
        outbox.settle(self.ledger, self.clock, verdicts)
        self.reach("after_verdicts")

    def _count(self, draft: Draft) -> None:
        self.result.writes[draft.resource] = self.result.writes.get(draft.resource, 0) + 1
        if draft.operation == "deactivate":
            self.result.retired += 1
        elif draft.operation == "create":
            self.created.add(draft.golden_id)
            if draft.resource == mapping.CLIENT:
                self.fresh_sites.add(draft.golden_id)
        elif draft.golden_id not in self.created:
            self.updated.add(draft.golden_id)


def verdict_of(sent: Sent) -> Verdict | None:
    """What an outcome means for the record; None where it was applied."""
    draft, outcome = sent.draft, sent.outcome
    if sent.is_acked:
        return None
    failed_by = outcome.error_class or "unreadable"
    is_counted = failed_by not in remedies.OF_THE_ACCOUNT
    if outcome.kind != "rejected":
        reason = "HaloPSA's answer was lost; it is looked up before anything is re-sent"
        return Verdict(draft.version, "unknown", reason, failed_by, is_counted)
    if outcome.is_retryable:
        return Verdict(draft.version, "pending", f"not sent yet ({failed_by})", failed_by, is_counted)
    reason = f"HaloPSA refused the {draft.operation} of {draft.resource}: {failed_by}, HTTP {outcome.status}"
    return Verdict(draft.version, "rejected", reason, failed_by, is_counted)
