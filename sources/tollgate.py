"""The gate that every call of a vendor passes: what may cost credits is reserved, durably, before it leaves.

Belongs here: reserving, settling, and finding out what an answer that never came did cost. Does not: prices
(`tariffs.py`), the ledger (`budget.Purse`), what is bought.
Surprise: it stands where a request really leaves, below all retries: each attempt is a purchase of its own, for the
vendor may have charged for the one whose answer was lost. Before the next paid call the account's balance (a free
call, where there is one) says whether it did. If it did, its records are withheld rather than paid for twice.
"""

from __future__ import annotations

import io
import json
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import requests
import urllib3
from requests.adapters import BaseAdapter, HTTPAdapter

from sources.budget import Doubt, Purse
from sources.http import BODY_BYTES_MAX, VendorError
from sources.tariffs import Call, Charge, Tariff


class GoodsLost(VendorError):
    """A paid call was charged and its answer lost; it is not sent again. Not retryable."""


class Tollgate(BaseAdapter):
    """A transport around a transport. `inner`: how requests leave; None: by sockets."""

    def __init__(self, vendor: str, tariff: Tariff, purse: Purse, inner: BaseAdapter | None = None) -> None:
        super().__init__()
        self._vendor, self._tariff, self._purse = vendor, tariff, purse
        self._inner = inner or HTTPAdapter()
        self._consumed: float | None = None  # by the account, as far as we know
        self._is_in_doubt = True  # an earlier run may have left something open

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        """Send one request.

        Raises:
            OverBudget: it may cost more than is left today; it did not leave.
            GoodsLost: an earlier attempt was charged and its answer never came.
        """
        call = self._tariff.price(request)
        troubled = self._clear_doubts(request, call, args, kwargs)
        if troubled is not None:
            return troubled
        if call is None:
            response = self._inner.send(request, *args, **kwargs)
            if self._tariff.learns_from(request) and response.ok:
                self._tariff.learn(request, _json_of(_whole(response)))
            return response
        ticket = self._purse.reserve(call.price, entity=call.entity, asked=call.asked, balance=self._consumed)
        try:
            response = _whole(self._inner.send(request, *args, **kwargs))
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            if _never_left(error):
                self._purse.settle(ticket, credits=0.0, records=0)
            else:
                self._is_in_doubt = True
            raise
        if response.status_code < 500:
            self._settle(ticket, call, response)
        else:
            self._is_in_doubt = True  # it may have been charged all the same
        return response

    def close(self) -> None:
        self._inner.close()

    def _settle(self, ticket: int, call: Call, response: requests.Response) -> None:
        charge = Charge(0.0, 0)
        if response.ok:
            answer = _json_of(response)
            if answer is None:  # half an answer, or none
                self._is_in_doubt = True
                return
            charge = self._tariff.charge(call, answer)
            if self._is_in_doubt and self._tariff.balance_path is None:
                charge = self._explained(ticket, call, charge)
        self._purse.settle(ticket, credits=charge.credits, records=charge.records)
        if self._consumed is not None:
            self._consumed += charge.credits

    # -- doubts ---------------------------------------------------------------------------------------------------

    def _clear_doubts(
        self, request: requests.PreparedRequest, call: Call | None, args: Any, kwargs: Any
    ) -> requests.Response | None:
        """Settle what earlier calls left open, by the account's balance. Where the vendor cannot be asked now, its
        answer stands for that of the call, which did not leave: the session waits and tries again.

        Before a free call too, where there is a doubt: what is bought next is chosen by what is known to be lost.
        """
        if self._tariff.balance_path is None or not self._is_in_doubt:
            return None
        doubts = [doubt for doubt in self._purse.doubts() if not (doubt.is_of_this_run and doubt.is_settled)]
        if call is None and not doubts:
            return None
        response = self._ask_balance(request, args, kwargs)
        if response.status_code == 429 or response.status_code >= 500:
            return response
        self._is_in_doubt = False
        self._consumed = self._tariff.balance(_json_of(response)) if response.ok else None
        if self._consumed is None:
            return None  # the key may not ask, so a doubt stays a doubt: it counts in full
        lost = self._settle_doubts(doubts, self._consumed)
        if call is not None and lost & set(call.asked):
            raise GoodsLost(
                f"{self._vendor}: the answer to a paid call for {len(lost & set(call.asked)):,} records was lost after "
                "it was charged. They are not paid for twice: see halosync credits"
            )
        return None

    def _settle_doubts(self, doubts: list[Doubt], consumed: float) -> set[str]:
        """Spread what was charged since over the calls in doubt, the oldest first; returns the records lost."""
        lost: set[str] = set()
        known = [doubt.balance for doubt in doubts if doubt.balance is not None]
        since = consumed - min(known) if known else None
        for doubt in doubts:
            if doubt.is_settled:  # charged in an earlier run that ended before its goods were in the archive
                self._purse.lose(doubt.ticket, credits=doubt.price)
                lost |= set(doubt.asked)
                since = None if since is None else since - doubt.price
            elif since is not None:
                charged = min(max(since, 0.0), doubt.price)
                since -= charged
                if charged > 0:
                    self._purse.lose(doubt.ticket, credits=charged)
                    lost |= set(doubt.asked)
                else:
                    self._purse.settle(doubt.ticket, credits=0.0, records=0)
        return lost

    def _explained(self, ticket: int, call: Call, charge: Charge) -> Charge:
        """The charge of this call alone, where its answer says what earlier ones without an answer had cost.

        Where records have ids, those that come again are charged once, and here. Where a balance tells, what it fell by
        is the older calls' first.
        """
        credits = charge.credits
        for doubt in self._purse.doubts():
            if doubt.ticket == ticket or doubt.is_settled or not doubt.is_of_this_run:
                continue
            if doubt.asked and set(doubt.asked) <= set(call.asked):
                self._purse.settle(doubt.ticket, credits=0.0, records=0)
            elif not doubt.asked:
                part = min(credits, doubt.price)
                self._purse.settle(doubt.ticket, credits=part, records=0)
                credits -= part
        return Charge(credits, charge.records)

    def _ask_balance(self, request: requests.PreparedRequest, args: Any, kwargs: Any) -> requests.Response:
        asking = request.copy()
        url = urlsplit(request.url or "")
        asking.method = "POST"
        asking.url = urlunsplit((url.scheme, url.netloc, self._tariff.balance_path or "", "", ""))
        asking.prepare_body(None, None, json={})
        return _whole(self._inner.send(asking, *args, **kwargs))


def _whole(response: requests.Response) -> requests.Response:
    """The response with its body read, so that what it cost can be known. A body past the cap is left to the session,
    which refuses it."""
    chunks: list[bytes] = []
    size = 0
    for chunk in response.iter_content(64 * 1024):
        chunks.append(chunk)
        size += len(chunk)
        if size > BODY_BYTES_MAX:
            break
    response._content = b"".join(chunks)  # what requests itself sets when it reads a body
    response._content_consumed = True  # type: ignore[attr-defined]
    return response


def _json_of(response: requests.Response) -> Any:
    try:
        return json.load(io.BytesIO(response.content))
    except (ValueError, RecursionError):
        return None


def _never_left(error: Exception) -> bool:
    """Whether no connection was made, so that nothing can have been charged."""
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return isinstance(reason, urllib3.exceptions.NewConnectionError)
