"""The credit ledger: what each call that may cost something set aside before it left, and what it did cost.

Belongs here: the rows of `credit`, the day's budget, what is spent, in doubt and lost. Does not: what a call may cost
(`sources/tariffs.py`), when it is asked (`sources/tollgate.py`), the payloads themselves (the archive).
Surprise: a row is written before its call leaves. One without an end (a kill, a lost answer) counts as spent in full,
so that a budget holds whatever happens. A day is a day of UTC.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any

import sqlalchemy as sa
from sources.budget import Doubt, OverBudget
from sources.clock import Clock

from assets.publishing.ledger import Ledger
from assets.publishing.tables import EPOCH, credit, stored

RESERVED, SETTLED, LOST = "reserved", "settled", "lost"
LOST_DAYS = 30  # records that were charged and never came are not bought again for so long
_DAY_MICROS = 86_400_000_000
_SPENT = sa.case((credit.c.state == RESERVED, credit.c.reserved), else_=credit.c.credits)


class LedgerPurse:
    """The credits of one source in one run. The ledger is opened at the first paid call: to make a client touches no
    disk. `budget`: most credits of one day, None for no limit of ours."""

    def __init__(
        self, open_ledger: Callable[[], Ledger], clock: Clock, source: str, *, run_id: str, budget: float | None = None
    ) -> None:
        self._open_ledger = open_ledger
        self._clock, self._source, self._run_id, self._budget = clock, source, run_id, budget

    def reserve(self, price: float, *, entity: str, asked: Sequence[str], balance: float | None) -> int:
        """See `sources.budget.Purse`; all in one transaction, so two processes cannot both take the last credit.

        Raises:
            OverBudget: today's budget does not cover `price`.
        """
        now = self._clock.now()
        with self._ledger.transaction() as connection:
            spent = connection.scalar(
                sa.select(sa.func.coalesce(sa.func.sum(_SPENT), 0.0)).where(
                    credit.c.source == self._source, credit.c.spent_at >= _midnight(now)
                )
            )
            if self._budget is not None and float(spent or 0.0) + price > self._budget:
                raise OverBudget(_refusal(self._source, price, float(spent or 0.0), self._budget))
            row = {
                "run_id": self._run_id,
                "source": self._source,
                "entity": entity,
                "records": 0,
                "credits": 0.0,
                "reserved": float(price),
                "state": RESERVED,
                "asked": list(asked) or None,
                "balance": balance,
                "spent_at": now,
            }
            added = connection.execute(sa.insert(credit).values(row)).inserted_primary_key
        assert added is not None
        return int(added[0])

    def settle(self, ticket: int, *, credits: float, records: int) -> None:
        told: dict[str, Any] = {"state": SETTLED, "credits": float(credits), "records": records}
        if credits == 0:
            told["asked"] = None  # nothing was paid, so nothing can be lost
        self._end(ticket, told)

    def lose(self, ticket: int, *, credits: float) -> None:
        self._end(ticket, {"state": LOST, "credits": float(credits)})

    def received(self) -> None:
        is_mine = (credit.c.source == self._source, credit.c.run_id == self._run_id, credit.c.state == SETTLED)
        with self._ledger.transaction() as connection:
            connection.execute(sa.update(credit).where(*is_mine, credit.c.asked.is_not(None)).values(asked=sa.null()))

    def doubts(self) -> list[Doubt]:
        is_open = sa.or_(
            credit.c.state == RESERVED, sa.and_(credit.c.state == SETTLED, stored(credit.c.asked).is_not(None))
        )
        query = sa.select(credit).where(credit.c.source == self._source, is_open).order_by(credit.c.credit_id)
        with self._ledger.read() as connection:
            rows = connection.execute(query).all()
        return [
            Doubt(
                ticket=row.credit_id,
                price=row.credits if row.state == SETTLED else row.reserved,
                balance=row.balance,
                asked=tuple(row.asked or ()),
                is_settled=row.state == SETTLED,
                is_of_this_run=row.run_id == self._run_id,
            )
            for row in rows
        ]

    def withheld(self) -> Collection[str]:
        since = self._clock.now() - timedelta(days=LOST_DAYS)
        query = sa.select(credit.c.asked).where(
            credit.c.source == self._source, credit.c.state == LOST, credit.c.spent_at >= since
        )
        with self._ledger.read() as connection:
            return {row_id for asked in connection.scalars(query) for row_id in asked or ()}

    def close(self) -> None:
        if "_ledger" in self.__dict__:
            self._ledger.close()

    @cached_property
    def _ledger(self) -> Ledger:
        return self._open_ledger()

    def _end(self, ticket: int, told: dict[str, Any]) -> None:
        with self._ledger.transaction() as connection:
            connection.execute(
                sa.update(credit).where(credit.c.credit_id == ticket).values(told | {"settled_at": self._clock.now()})
            )


@dataclass(frozen=True)
class Day:
    """What one source cost on one day: `spent` is settled, `in_doubt` set aside and never answered, `lost` the part of
    `spent` whose goods never came."""

    source: str
    day: date
    calls: int
    records: int
    spent: float
    in_doubt: float
    lost: float


def days(ledger: Ledger) -> list[Day]:
    """By source and day, the newest day first."""
    day = stored(credit.c.spent_at) // _DAY_MICROS
    is_open, is_lost = credit.c.state == RESERVED, credit.c.state == LOST
    query = (
        sa.select(
            credit.c.source,
            day,
            sa.func.count(),
            sa.func.sum(credit.c.records),
            sa.func.sum(credit.c.credits),
            sa.func.sum(sa.case((is_open, credit.c.reserved), else_=0.0)),
            sa.func.sum(sa.case((is_lost, credit.c.credits), else_=0.0)),
        )
        .group_by(credit.c.source, day)
        .order_by(day.desc(), credit.c.source)
    )
    with ledger.read() as connection:
        return [
            Day(
                row[0],
                (EPOCH + timedelta(days=int(row[1]))).date(),
                int(row[2]),
                int(row[3] or 0),
                *map(float, row[4:]),
            )
            for row in connection.execute(query)
        ]


def spent(ledger: Ledger, *, run_id: str | None = None) -> dict[str, float]:
    """Credits per source, of one run or of all; what is in doubt counts in full."""
    query = sa.select(credit.c.source, sa.func.sum(_SPENT)).group_by(credit.c.source).order_by(credit.c.source)
    if run_id is not None:
        query = query.where(credit.c.run_id == run_id)
    with ledger.read() as connection:
        return {row[0]: float(row[1]) for row in connection.execute(query)}


def spent_today(ledger: Ledger, clock: Clock) -> dict[str, float]:
    """Credits per source since midnight UTC; what is in doubt counts in full."""
    query = sa.select(credit.c.source, sa.func.sum(_SPENT)).where(credit.c.spent_at >= _midnight(clock.now()))
    with ledger.read() as connection:
        return {row[0]: float(row[1]) for row in connection.execute(query.group_by(credit.c.source))}


def _midnight(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


def _refusal(source: str, price: float, spent: float, budget: float) -> str:
    setting = f"SOURCES__{source.upper()}__CREDITS_A_DAY"
    return (
        f"{source}: the next call may cost {price:g} credits; {spent:g} of today's {budget:g} ({setting}) are spent or "
        "set aside, so it was not sent"
    )
