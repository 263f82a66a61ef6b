"""Mailboxes and slugs: how a name becomes an address.

Belongs here: the patterns. Does not: who has which (people.py), what a vendor guesses (contact_channels.py).
Surprise: two people can have one pattern's mailbox; whoever gives addresses out must number them.
"""

from __future__ import annotations

from collections.abc import Callable

from sources.world.names import mailbox_part

FREE_MAIL = ("gmail.com", "outlook.com", "yahoo.com", "hotmail.com", "icloud.com")
_BASE36 = "0123456789abcdefghijklmnopqrstuvwxyz"
_LOCAL: tuple[Callable[[str, str], str], ...] = (
    lambda first, last: f"{first}.{last}",
    lambda first, last: f"{first[0]}{last}",
    lambda first, last: first,
    lambda first, last: f"{first}{last[0]}",
    lambda first, last: f"{first}_{last}",
    lambda first, last: f"{last}.{first}",
    lambda first, last: f"{first[0]}.{last}",
    lambda first, last: f"{first}{last}",
)


def local_part(pattern: int, first: str, last: str, code: str) -> str:
    """The mailbox that a company's pattern gives a name."""
    german = code == "DE"
    return _LOCAL[pattern](mailbox_part(first, german), mailbox_part(last, german))


def slug_of(first: str, last: str, code: str, number: int) -> str:
    """A LinkedIn slug; `number` is 64 scrambled bits, so that two slugs differ."""
    tail = []
    for _ in range(9):
        number, digit = divmod(number, 36)
        tail.append(_BASE36[digit])
    return f"{mailbox_part(first, code == 'DE')}-{mailbox_part(last, code == 'DE')}-{''.join(tail)}"
