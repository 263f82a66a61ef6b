"""One look: what is wrong, what changed, who is told.

Belongs here: the order of the three. Does not: any of them.
"""

from __future__ import annotations

from typing import NamedTuple

from assets.publishing.ledger import Ledger, locked
from sources.clock import Clock

from orchestration.alerting import channels
from orchestration.alerting.book import FILE, Book, Line
from orchestration.alerting.rules import troubles
from orchestration.settings import Settings


class Look(NamedTuple):
    """`changes` since the last look, what is `open` now, the channels that could not be told."""

    changes: list[Line]
    open: list[Line]
    unsent: list[str]


def look(settings: Settings, ledger: Ledger, clock: Clock) -> Look:
    """Find, note, tell.

    Raises:
        LedgerBusy: another look is under way.
        LedgerError: the ledger cannot be read.
    """
    now = clock.now()
    with locked(settings.data_root, "alerts"):
        book = Book(settings.data_root / FILE)
        found = troubles(ledger, settings.alerts, now, publishes=not settings.missing("halopsa"))
        changes = book.note(found, now)
        unsent = []
        for address in settings.alerts.urls:
            url = address.get_secret_value()
            channel = channels.name_of(url)
            waiting = book.untold(channel)
            if waiting and not channels.send(url, waiting):
                unsent.append(channel)
            elif waiting or not book.knows(channel):
                book.tell(channel, now)
        return Look(changes, book.open, unsent)
