"""The purse: one paid call at a time, and what it cost when its answer never came.

Belongs here: sending a purchase, telling a call that never arrived from one that was charged and lost, the note of the
purchase under way. Does not: who is bought and kept (`purchase.py`), retries of free calls (`sources/http.py`).
Surprise: Apollo charges again for a person bought again, so an answer that was charged and lost is not asked for twice.
The balance tells: it is read (for nothing) before the first purchase, and again when an answer is missing. The note
outlives this process: whoever is killed in mid-call leaves it, and the next run asks the balance what became of it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sources.apollo.client import ApolloClient, Delivery, OutOfCredits
from sources.http import BadRequest, Forbidden, RateLimited, Unauthorised, VendorError

_WAITS_S = (1.0, 2.0, 4.0, 8.0, 16.0)  # five more tries of a call that was not charged, as for free calls
_REFUSED = (BadRequest, Forbidden, RateLimited, Unauthorised, OutOfCredits)  # answers that say: no work was done


class LostPurchase(VendorError):
    """People were paid for and their answer cannot be had. `credits` is what it cost, as far as the balance tells."""

    def __init__(self, error: VendorError, credits: float) -> None:
        super().__init__(str(error), status=error.status)
        self.credits = credits


@dataclass(frozen=True)
class Unsettled:
    """A purchase that another process left in the middle: id -> stamp, and what it cost."""

    asked: dict[str, str]
    credits: float


class Purse:
    """The balance of one account during one run. `note` is the file of the purchase under way; None keeps none."""

    def __init__(self, client: ApolloClient, note: Path | None) -> None:
        self._client = client
        self._note = note
        self._expected: float | None = None
        self._is_open = False

    def unsettled(self) -> Unsettled | None:
        """What an earlier process was buying when it ended, where that was charged; None where nothing was."""
        if self._note is None or not self._note.exists():
            return None
        noted = json.loads(self._note.read_text())
        charged = _charge(noted["balance"], self._client.credits_left(), people=len(noted["asked"]))
        return Unsettled(noted["asked"], charged) if charged else None

    def buy(self, asked: Mapping[str, str]) -> Delivery:
        """Enrich some people, each charged at most once.

        Raises:
            LostPurchase: it was charged, or nobody can tell, and there is no answer.
            OutOfCredits: the balance does not cover it.
            VendorError: it was not charged, and Apollo does not answer.
        """
        if not self._is_open:
            self._expected, self._is_open = self._client.credits_left(), True
        self._begin(asked)
        for wait_s in (*_WAITS_S, None):
            try:
                delivery = self._client.match(list(asked))
            except _REFUSED:
                self.settle()
                raise
            except VendorError as error:
                charged = _charge(self._expected, self._client.credits_left(), people=len(asked))
                if charged:
                    raise LostPurchase(error, charged) from error
                if wait_s is None or not error.retryable:
                    self.settle()
                    raise
                self._client.note_retry(error)
                self._client.clock.sleep(max(wait_s, error.retry_after_s or 0.0))
            else:
                if self._expected is not None:
                    self._expected -= delivery.credits
                return delivery
        raise AssertionError("the last try returns or raises")

    def settle(self) -> None:
        """Forget the purchase under way: what it brought is kept, or it cost nothing."""
        if self._note is not None:
            self._note.unlink(missing_ok=True)

    def unexplained(self) -> float:
        """How much lower the balance is than all answers said; 0 where nobody can tell."""
        left = self._client.credits_left() if self._is_open else None
        return 0.0 if left is None or self._expected is None else max(self._expected - left, 0.0)

    def _begin(self, asked: Mapping[str, str]) -> None:
        if self._note is None:
            return
        self._note.parent.mkdir(parents=True, exist_ok=True)
        draft = self._note.with_suffix(".tmp")
        with draft.open("w") as handle:
            json.dump({"asked": dict(asked), "balance": self._expected}, handle)
            handle.flush()
            os.fsync(handle.fileno())
        draft.replace(self._note)


def _charge(before: float | None, after: float | None, *, people: int) -> float:
    """Credits a purchase cost; where the balance is not told, or has been filled up since, the worse case."""
    if before is None or after is None or after > before:
        return float(people)
    return before - after
