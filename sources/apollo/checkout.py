"""Checkout: one paid call at a time, and what it cost when its answer never came. For runs without a credit ledger.

Belongs here: sending a purchase, telling a call that never arrived from one that was charged and lost. Does not: who is
bought and kept (`purchase.py`), retries of free calls (`sources/http.py`), runs with a ledger: there the tollgate does
this for all vendors, and remembers it beyond the life of a process (`sources/tollgate.py`).
Surprise: Apollo charges again for a person bought again, so an answer that was charged and lost is not asked for twice.
The balance tells: it is read (for nothing) before the first purchase, and again when an answer is missing.
"""

from __future__ import annotations

from collections.abc import Mapping

from sources.apollo.client import ApolloClient, Delivery, OutOfCredits
from sources.budget import OverBudget
from sources.http import BadRequest, Forbidden, RateLimited, Unauthorised, VendorError

_WAITS_S = (1.0, 2.0, 4.0, 8.0, 16.0)  # five more tries of a call that was not charged, as for free calls
_REFUSED = (BadRequest, Forbidden, OutOfCredits, OverBudget, RateLimited, Unauthorised)  # no work was done


class LostPurchase(VendorError):
    """People were paid for and their answer cannot be had. `credits` is what it cost, as far as the balance tells."""

    def __init__(self, error: VendorError, credits: float) -> None:
        super().__init__(str(error), status=error.status)
        self.credits = credits


class Checkout:
    """The balance of one account during one run."""

    def __init__(self, client: ApolloClient) -> None:
        self._client = client
        self._expected: float | None = None
        self._is_open = False

    def buy(self, asked: Mapping[str, str]) -> Delivery:
        """Enrich some people, each charged at most once.

        Raises:
            LostPurchase: it was charged, or nobody can tell, and there is no answer.
            OutOfCredits: the balance does not cover it.
            VendorError: it was not charged, and Apollo does not answer.
        """
        if not self._is_open:
            self._expected, self._is_open = self._client.credits_left(), True
        for wait_s in (*_WAITS_S, None):
            try:
                delivery = self._client.match(list(asked))
            except _REFUSED:
                raise
            except VendorError as error:
                charged = _charge(self._expected, self._client.credits_left(), people=len(asked))
                if charged:
                    raise LostPurchase(error, charged) from error
                if wait_s is None or not error.retryable:
                    raise
                self._client.note_retry(error)
                self._client.clock.sleep(max(wait_s, error.retry_after_s or 0.0))
            else:
                if self._expected is not None:
                    self._expected -= delivery.credits
                return delivery
        raise AssertionError("the last try returns or raises")

    def unexplained(self) -> float:
        """How much lower the balance is than all answers said; 0 where nobody can tell."""
        left = self._client.credits_left() if self._is_open else None
        return 0.0 if left is None or self._expected is None else max(self._expected - left, 0.0)


def _charge(before: float | None, after: float | None, *, people: int) -> float:
    """Credits a purchase cost; where the balance is not told, or has been filled up since, the worse case."""
    if before is None or after is None or after > before:
        return float(people)
    return before - after
