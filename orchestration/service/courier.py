"""The courier: tells subscribers what changed, page by page, signed, and again until they say 2xx.

Belongs here: the round over all subscriptions, signing, the thread beside the server.
Does not: who subscribed and when to try again (`assets/publishing/hooks.py`), where it may go (`targets.py`).
Surprise: a round holds a lease of the ledger, so of several services on one ledger only one delivers at a time, and a
page is never told to one subscriber by two of them at once.
"""

from __future__ import annotations

import logging
import threading
from concurrent.futures import ThreadPoolExecutor

import urllib3
from assets.publishing import hooks
from assets.publishing.ledger import Ledger, LedgerBusy, LedgerError
from sources.clock import Clock
from sqlalchemy.exc import SQLAlchemyError
from standardwebhooks import Webhook

from orchestration.service import targets
from orchestration.service.settings import HookSettings

LOOK_S = 2.0
AT_ONCE = 8  # receivers told at the same time, so that a slow one holds up its own page only
PAGES_A_ROUND = 50
LEASE = "courier"
_LOG = logging.getLogger("halosync.service")


class Courier:
    """Deliveries of one service."""

    def __init__(self, ledger: Ledger, clock: Clock, settings: HookSettings) -> None:
        self._ledger, self._clock, self._settings = ledger, clock, settings
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="courier", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End after the deliveries that are on their way."""
        self._is_over.set()
        self._thread.join(timeout=self._settings.connect_s + self._settings.answer_s)

    def round(self) -> int:
        """Tell every subscriber that is due, once round; returns how many pages were taken."""
        waiting = [one for one in hooks.due(self._ledger, self._clock) if hooks.parcel(self._ledger, one)]
        if not waiting:
            return 0
        with self._ledger.lease(LEASE), ThreadPoolExecutor(AT_ONCE) as pool:
            return sum(pool.map(self._tell, waiting))

    def _run(self) -> None:
        while not self._is_over.wait(LOOK_S):
            try:
                while self.round() and not self._is_over.is_set():
                    pass
            except LedgerBusy:
                continue  # another service delivers
            except (LedgerError, SQLAlchemyError) as error:
                _LOG.error("subscribers cannot be told now", extra={"error": type(error).__name__})

    def _tell(self, hook_id: str) -> int:
        taken = 0
        while taken < PAGES_A_ROUND and not self._is_over.is_set():
            parcel = hooks.parcel(self._ledger, hook_id)
            if parcel is None:
                break
            status, retry_after = self._send(parcel)
            wait_s = float(retry_after) if retry_after.isascii() and retry_after.isdigit() else None
            outcome = hooks.settle(self._ledger, self._clock, parcel, status=status, retry_after_s=wait_s)
            if outcome != "delivered":
                level = logging.INFO if outcome == "later" else logging.ERROR
                _LOG.log(level, f"subscription {outcome}", extra={"hook_id": hook_id, "status": status})
                break
            taken += 1
        return taken

    def _send(self, parcel: hooks.Parcel) -> tuple[int, str]:
        now = self._clock.now()
        headers = {
            "Content-Type": "application/json",
            "webhook-id": parcel.message_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": Webhook(parcel.secret).sign(parcel.message_id, now, parcel.body),
        }
        try:
            target = targets.checked(parcel.url, self._settings)
            return targets.post(target, parcel.body.encode(), headers, self._settings)
        except targets.TargetRefused:
            return hooks.NO_ANSWER, ""  # its name leads elsewhere since it subscribed: no try goes out, as no answer
        except (urllib3.exceptions.HTTPError, OSError):
            return hooks.NO_ANSWER, ""
