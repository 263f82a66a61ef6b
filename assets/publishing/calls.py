"""Calls to an API counted in the ledger: one rate window for all workers and processes, kept over restarts.

Belongs here: the rows of `call`. Does not: how long to wait (`sources/limiter.py`), which API has which limit (its
source). Surprise: a call is counted, durably, before it leaves; a process that dies in between has used up its share
of the window without calling, which is the harmless side.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import cached_property

import sqlalchemy as sa
from sources.limiter import Calls

from assets.publishing.ledger import Ledger
from assets.publishing.tables import EPOCH, call


class LedgerCalls:
    """The book of one API. The ledger is opened at the first call, so that making a client touches no disk."""

    def __init__(self, open_ledger: Callable[[], Ledger], api: str) -> None:
        self._open_ledger = open_ledger
        self._api = api

    @contextmanager
    def opened(self) -> Iterator[Calls]:
        """Under the ledger's write lock.

        Raises:
            LedgerBusy: another process holds that lock for too long.
        """
        with self._ledger.transaction() as connection:
            yield _Rows(connection, self._api)

    @cached_property
    def _ledger(self) -> Ledger:
        return self._open_ledger()

    def close(self) -> None:
        self._ledger.close()


class _Rows:
    def __init__(self, connection: sa.Connection, api: str) -> None:
        self._connection = connection
        self._api = api
        self._is_ours = call.c.api == api

    def nth_newest(self, nth: int) -> float | None:
        query = sa.select(call.c.at).where(self._is_ours).order_by(call.c.at.desc()).offset(nth - 1).limit(1)
        at = self._connection.scalar(query)
        return None if at is None else (at - EPOCH).total_seconds()

    def add(self, at_s: float, *, keep_s: float) -> None:
        self._connection.execute(sa.insert(call).values(api=self._api, at=_moment(at_s)))
        self._connection.execute(sa.delete(call).where(self._is_ours, call.c.at < _moment(at_s - keep_s)))

    def none_after(self, now_s: float) -> None:
        now = _moment(now_s)
        self._connection.execute(sa.update(call).where(self._is_ours, call.c.at > now).values(at=now))


def _moment(at_s: float) -> datetime:
    return EPOCH + timedelta(seconds=at_s)
