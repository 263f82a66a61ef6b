"""What a purchase asks of the credit ledger: a reservation before the call leaves, the truth after it.

Belongs here: the port (`Purse`) and the refusal. Does not: what a call may cost (`tariffs.py`), when it is asked
(`tollgate.py`), where it is written (`assets/publishing/credits.py`).
Surprise: a reservation whose answer never came counts as spent, in full. A budget is hard only if doubt counts.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from sources.http import VendorError


class OverBudget(VendorError):
    """The call may cost more than the day's budget has left; it was not sent. Not retryable."""


@dataclass(frozen=True)
class Doubt:
    """A paid call whose goods are not safe: `is_settled` says whether its price is known.

    `balance` is what the account had consumed (or had left) before it, None where it does not say; `asked` are the
    records it was about.
    """

    ticket: int
    price: float
    balance: float | None
    asked: tuple[str, ...]
    is_settled: bool
    is_of_this_run: bool


class Purse(Protocol):
    """The credits of one source in one run."""

    def reserve(self, price: float, *, entity: str, asked: Sequence[str], balance: float | None) -> int:
        """Set aside, durably, what a call may cost; returns its ticket.

        Raises:
            OverBudget: the budget of today does not cover it.
        """

    def settle(self, ticket: int, *, credits: float, records: int) -> None:
        """What it did cost."""

    def lose(self, ticket: int, *, credits: float) -> None:
        """It was charged and its goods never came: its records are withheld, so that nobody pays for them twice."""

    def received(self) -> None:
        """What was settled in this run lies in the archive."""

    def doubts(self) -> list[Doubt]:
        """Calls of this and of earlier runs whose price is not known or whose goods are not in the archive."""

    def withheld(self) -> Collection[str]:
        """Ids that were charged and never came, for as long as they are not to be bought again."""
