"""What is wrong now, as the ledger tells it.

Belongs here: one function a rule, each giving the troubles it finds. Does not: what was wrong before (book.py), the
health of the installation itself (`health.py`).
Surprise: volumes are judged by median and median absolute deviation of the source's own runs, because one huge first
load would make a mean and a standard deviation blind for a year (Rousseeuw and Croux 1993).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Any, NamedTuple

import sqlalchemy as sa
from assets.common import JOB
from assets.publishing import outbox
from assets.publishing.ledger import Ledger
from assets.publishing.runs import GOOD_STATES
from assets.publishing.tables import commit_log, effect, freshness, run
from assets.publishing.tables import outbox as outbox_table

from orchestration.alerting.settings import AlertSettings

SEEN = timedelta(days=60)  # older runs say nothing of today
RUNS_FOR_LIMITS_MIN, RUNS_FOR_LIMITS_MAX = 10, 50
DEVIATIONS_MAX = 6.0
SHARE_FREE = 0.5  # of the median: within it no volume is a trouble, however steady the source was
_MAD_TO_SIGMA = 1.4826  # of a normal distribution


@dataclass(frozen=True)
class Trouble:
    """`kind` and `subject` name it; the text holds counts and times, never a value of a record."""

    kind: str
    subject: str
    text: str
    remedy: str


class Run(NamedTuple):
    kind: str
    state: str
    started_at: datetime
    ended_at: datetime | None
    fetched: dict[str, int]  # records by source


@dataclass(frozen=True)
class Seen:
    """What the rules look at; `runs` the oldest first."""

    now: datetime
    limits: AlertSettings
    runs: Sequence[Run]
    read_at: dict[str, datetime]
    unsent: int  # changes that wait for longer than they should
    unsettled: int  # writes without an outcome for longer than they should be
    publishes: bool

    def syncs(self, *states: str) -> list[Run]:
        return [one for one in self.runs if one.kind == JOB and one.state in (states or GOOD_STATES)]


def troubles(ledger: Ledger, limits: AlertSettings, now: datetime, *, publishes: bool) -> list[Trouble]:
    """Everything that is wrong at `now`, in the order of the rules. `publishes`: HaloPSA is configured."""
    seen = _seen(ledger, limits, now, publishes)
    return [trouble for rule in RULES for trouble in rule(seen)]


def _seen(ledger: Ledger, limits: AlertSettings, now: datetime, publishes: bool) -> Seen:
    late = now - timedelta(hours=limits.backlog_hours)
    unsettled_since = now - timedelta(minutes=limits.unknown_minutes)
    runs = sa.select(run).where(run.c.started_at > now - SEEN).order_by(run.c.started_at, run.c.run_id)
    waits = (
        sa.select(sa.func.count())
        .select_from(outbox_table.join(commit_log, commit_log.c.seq == outbox_table.c.seq))
        .where(outbox_table.c.state.in_(outbox.UNSENT), commit_log.c.commit_ts < late)
    )
    hangs = sa.select(sa.func.count()).where(
        effect.c.state.in_(("sending", "unknown")), effect.c.sent_at < unsettled_since
    )
    with ledger.read() as connection:
        return Seen(
            now,
            limits,
            [_run_of(row) for row in connection.execute(runs).mappings()],
            {row.source: row.read_at for row in connection.execute(sa.select(freshness))},
            connection.scalar(waits) or 0,
            connection.scalar(hangs) or 0,
            publishes,
        )


def _run_of(row: Any) -> Run:
    fetched = (row["summary"] or {}).get("fetched") or {}
    return Run(row["kind"], row["state"], row["started_at"], row["ended_at"], fetched)


def _did_not_run(seen: Seen) -> Iterator[Trouble]:
    began = [one.started_at for one in seen.runs if one.kind == JOB]
    ended = [one.ended_at for one in seen.syncs() if one.ended_at]
    last = max(ended, default=min(began, default=seen.now))
    if seen.now - last > timedelta(hours=seen.limits.run_hours):
        text = f"no full sync ended well for {_hours(seen.now - last)}"
        yield Trouble("did_not_run", JOB, text, "See that `halosync up` runs: halosync doctor, then its log.")


def _ended_badly(seen: Seen) -> Iterator[Trouble]:
    newest = {one.kind: one for one in seen.runs if one.state != "running"}
    for kind, one in sorted(newest.items()):
        if one.state in ("failed", "killed"):
            yield Trouble("run_failed", kind, f"the last run {one.state}", "See the run in the Dagster UI.")
        if one.state == "held":
            remedy = "See its failed check in the Dagster UI; nothing was sent. Mend the source, or allow it once."
            yield Trouble("check_failed", kind, "a blocking check or a guard held the last run", remedy)


def _did_nothing(seen: Seen) -> Iterator[Trouble]:
    frozen, brings = _frozen(seen)
    if brings and len(frozen) == len(brings) > 1:
        text = f"runs end well, and no source brought a record for {seen.limits.frozen_days:g} days"
        yield Trouble("did_nothing", JOB, text, "Look at the vendors' accounts: halosync connect VENDOR.")


def _source_frozen(seen: Seen) -> Iterator[Trouble]:
    frozen, brings = _frozen(seen)
    if len(frozen) == len(brings) > 1:
        return  # told once, for all
    for source in sorted(frozen):
        text = f"read without trouble, and brought no record for {seen.limits.frozen_days:g} days"
        yield Trouble("source_frozen", source, text, f"Look at its account: halosync connect {source}.")


def _frozen(seen: Seen) -> tuple[set[str], set[str]]:
    """(sources that stopped bringing records though they are read, all that ever brought some)."""
    since = seen.now - timedelta(days=seen.limits.frozen_days)
    recent = [one for one in seen.syncs() if one.started_at > since]
    older = [one for one in seen.syncs() if one.started_at <= since]
    brings = {source for one in (*older, *recent) for source, count in one.fetched.items() if count}
    read = {source for one in recent for source in one.fetched}
    brought = {source for one in recent for source, count in one.fetched.items() if count}
    once = {source for one in older for source, count in one.fetched.items() if count}
    return once & read - brought, brings


def _source_down(seen: Seen) -> Iterator[Trouble]:
    """By the newest run that ended: where none runs, that alone is told."""
    ended = max((one.ended_at for one in seen.runs if one.kind == JOB and one.ended_at), default=seen.now)
    for source, read_at in sorted(seen.read_at.items()):
        if ended - read_at > timedelta(hours=seen.limits.source_hours):
            text = f"not read without trouble for {_hours(seen.now - read_at)}"
            yield Trouble("source_down", source, text, f"See the last run's problems, then: halosync connect {source}.")


def _volume(seen: Seen) -> Iterator[Trouble]:
    syncs = seen.syncs()
    for source, count in sorted(syncs[-1].fetched.items()) if syncs else ():
        before = [one.fetched[source] for one in syncs[:-1] if one.fetched.get(source)][-RUNS_FOR_LIMITS_MAX:]
        if not count or len(before) < RUNS_FOR_LIMITS_MIN:
            continue
        middle = median(before)
        spread = _MAD_TO_SIGMA * median(abs(one - middle) for one in before)
        if abs(count - middle) > max(DEVIATIONS_MAX * spread, SHARE_FREE * middle):
            text = f"brought {count:,} records, usual are {middle:,.0f}"
            yield Trouble("volume", source, text, "Look at what it brought before it is believed: raw_" + source + ".")


def _backlog(seen: Seen) -> Iterator[Trouble]:
    if seen.publishes and seen.unsent:
        text = f"{seen.unsent:,} changes wait for more than {seen.limits.backlog_hours:g} h"
        yield Trouble("backlog", "halopsa", text, "halosync publish says why; halosync why GOLDEN_ID of one record.")


def _unknown(seen: Seen) -> Iterator[Trouble]:
    if seen.unsettled:
        text = f"{seen.unsettled:,} writes have no outcome for more than {seen.limits.unknown_minutes:g} min"
        yield Trouble("unknown_effects", "halopsa", text, "halosync publish looks them up; never send them by hand.")


RULES: tuple[Callable[[Seen], Iterator[Trouble]], ...] = (
    *(_did_not_run, _ended_badly, _did_nothing, _source_frozen, _source_down, _volume, _backlog, _unknown),
)


def _hours(age: timedelta) -> str:
    hours = age.total_seconds() / 3600
    return f"{hours:,.0f} h" if hours < 72 else f"{hours / 24:,.0f} days"
