"""Telling somebody: mail, Slack and its like, webhooks, by the addresses of Apprise.

Belongs here: one message to one address. Does not: what is told when (watch.py), which addresses (settings.py).
Surprise: an address holds a secret, so it is never logged; a channel is named by its scheme and a digest of it.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from urllib.parse import urlsplit

from orchestration.alerting.book import RAISED, Line


def name_of(url: str) -> str:
    """What a channel is called in book and log."""
    return f"{urlsplit(url).scheme or 'unknown'}-{hashlib.sha256(url.encode()).hexdigest()[:8]}"


def send(url: str, lines: Sequence[Line]) -> bool:
    """Tell one address everything in one message; False where it could not be told."""
    import apprise  # two hundred services: only who has an address waits for them

    log = logging.getLogger("apprise")
    log.addHandler(logging.NullHandler())  # it says addresses
    log.propagate = False
    channel = apprise.Apprise()
    return bool(channel.add(url) and channel.notify(title=title(lines), body=body(lines)))


def title(lines: Sequence[Line]) -> str:
    raised = sum(line.event == RAISED for line in lines)
    counts = ((raised, "alert" if raised == 1 else "alerts"), (len(lines) - raised, "over"))
    return "halosync: " + ", ".join(f"{count} {what}" for count, what in counts if count)


def body(lines: Sequence[Line]) -> str:
    return "\n".join(
        f"{'ALERT' if line.event == RAISED else 'over'}  {line.kind} of {line.subject}: {line.text}"
        + (f" {line.remedy}" if line.remedy else "")
        for line in lines
    )
