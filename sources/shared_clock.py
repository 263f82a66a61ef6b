"""A virtual clock shared between processes: one process keeps the time, others ask it.

Belongs here: serving and asking. Does not: time in one process (`clock.py`). Used by `halosync ui` on the demo, where
each Dagster run is a process of its own and simulators live in another one.
Surprise: a sleep moves the time of everybody at once, as in one process; who asks later sees it.
"""

from __future__ import annotations

from datetime import UTC, datetime

import requests
from werkzeug.wrappers import Request, Response

from sources.clock import VirtualClock
from sources.simulation import Simulator, json_response

TIMEOUT_S = 10.0


class ClockServer(Simulator):
    """Serves a virtual clock: GET / tells the time, POST / sleeps."""

    name = "clock"

    def __init__(self, clock: VirtualClock) -> None:
        super().__init__(clock)
        self.route("GET", "/", self._tell)
        self.route("POST", "/", self._sleep)

    def _tell(self, request: Request) -> Response:
        return json_response({"time": self.clock.time()})

    def _sleep(self, request: Request) -> Response:
        self.clock.sleep(float(request.get_json()["seconds"]))
        return self._tell(request)


class SharedClock:
    """The clock behind a `ClockServer`."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._session = requests.Session()
        self._session.trust_env = False

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.time(), UTC)

    def time(self) -> float:
        answer = self._session.get(self._url, timeout=TIMEOUT_S)
        answer.raise_for_status()
        return float(answer.json()["time"])

    def sleep(self, seconds: float) -> None:
        if seconds > 0:
            self._session.post(self._url, json={"seconds": seconds}, timeout=TIMEOUT_S).raise_for_status()
