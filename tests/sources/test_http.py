"""Towards vendors: limits before a call, patience after it, caps on answers; over a socket and without."""

from __future__ import annotations

import io
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st
from requests.adapters import BaseAdapter
from werkzeug.wrappers import Response

from sources.clock import VirtualClock
from sources.http import BadRequest, Forbidden, PatientSession, RateLimited, Unauthorised, Unreachable, retry_after_s
from sources.limiter import RateLimit, RollingLimiter
from sources.simulation import Fault, InMemoryAdapter, Simulator, json_response, serve


class Echo(Simulator):
    name = "echo"

    def __init__(self, clock):
        super().__init__(clock)
        self.done = 0
        self.route("POST", "/work", self.work)
        self.route("GET", "/large", lambda request: Response(b"x" * 10_000))
        self.route("GET", "/away", lambda request: Response(status=302, headers={"Location": "http://127.0.0.1:1/"}))

    def work(self, request):
        self.done += 1
        return json_response({"done": self.done})


@pytest.fixture(params=["socket", "memory"])
def echo(request):
    clock = VirtualClock()
    app = Echo(clock)
    session = PatientSession(vendor="echo", clock=clock, body_bytes_max=5_000)
    if request.param == "memory":
        session.mount("http://echo.test", InMemoryAdapter(app))
        yield app, session, "http://echo.test"
    else:
        with serve(app) as url:
            yield app, session, url


@pytest.mark.parametrize("effect", ["drop", "truncate", "html", "status"])
def test_a_passing_fault_is_waited_out(echo, effect):
    app, session, url = echo
    app.faults = [Fault(effect, times=2)]

    assert session.fetch_json("POST", url + "/work") == {"done": app.done}
    assert session.retried.total() == 2
    assert app.clock.elapsed_s == 3.0


def test_work_done_before_the_connection_died_is_seen_as_unknown(echo):
    app, session, url = echo
    app.faults = [Fault("drop_after")]

    with pytest.raises(Unreachable):
        session.request("POST", url + "/work", retry=False)

    assert app.done == 1, "a write is sent once; its outcome must be looked up"


def test_a_lasting_fault_ends_after_six_attempts(echo):
    app, session, url = echo
    app.faults = [Fault("drop", times=-1)]

    with pytest.raises(Unreachable):
        session.request("POST", url + "/work")

    assert app.faults[0].seen == 6


@pytest.mark.parametrize(("status", "kind"), [(400, BadRequest), (401, Unauthorised), (403, Forbidden)])
def test_our_own_mistakes_are_not_repeated(echo, status, kind):
    app, session, url = echo
    app.faults = [Fault("status", status=status, times=-1)]

    with pytest.raises(kind):
        session.request("POST", url + "/work")

    assert app.faults[0].seen == 1


@pytest.mark.parametrize(
    ("header", "waited_s"),
    [
        ("7", 7.0),
        ("Mon, 02 Nov 2026 06:01:30 GMT", 90.0),
        ("31536000", 3600.0),
        ("-5", 30.0),
        ("soon", 30.0),
        (None, 30.0),
    ],
)
def test_every_form_of_retry_after_is_honoured_within_bounds(echo, header, waited_s):
    app, session, url = echo
    headers = (("Retry-After", header),) if header else ()
    app.faults = [Fault("status", status=429, headers=headers)]

    session.request("POST", url + "/work")

    assert app.clock.elapsed_s == pytest.approx(waited_s, abs=1.0)


def test_a_429_that_never_ends_is_an_error_of_its_own(echo):
    app, session, url = echo
    app.faults = [Fault("status", status=429, times=-1)]

    with pytest.raises(RateLimited):
        session.request("POST", url + "/work")


def test_a_body_past_the_cap_is_not_read_to_its_end(echo):
    """S11: an endless or huge answer of a vendor."""
    _, session, url = echo

    with pytest.raises(Unreachable):
        session.request("GET", url + "/large", retry=False)


def test_a_redirect_is_not_followed(echo):
    """S11: a redirect of a vendor."""
    _, session, url = echo

    with pytest.raises(BadRequest) as caught:
        session.request("GET", url + "/away")

    assert caught.value.status == 302


def test_an_error_text_names_status_and_path_but_no_body(echo):
    app, session, url = echo
    app.faults = [Fault("status", status=400, body='{"email": "someone@example.test"}')]

    with pytest.raises(BadRequest) as caught:
        session.request("POST", url + "/work?email=someone@example.test")

    assert str(caught.value) == "echo: HTTP 400 on /work"


@given(st.lists(st.floats(min_value=0, max_value=30), max_size=60), st.integers(1, 7), st.integers(1, 60))
def test_no_window_ever_holds_more_calls_than_allowed(pauses, calls, window_s):
    clock = VirtualClock()
    limiter = RollingLimiter([RateLimit(calls, window_s), RateLimit(calls * 3, window_s * 2)], clock)

    sent = []
    for pause in pauses:
        clock.sleep(pause)
        limiter.acquire()
        sent.append(clock.time())

    for limit, size in ((window_s, calls), (window_s * 2, calls * 3)):
        assert all(sum(at <= other < at + limit for other in sent) <= size for at in sent)


def test_room_is_made_for_several_calls_at_once_and_none_is_counted():
    clock = VirtualClock()
    limiter = RollingLimiter([RateLimit(5, 60)], clock)
    for _ in range(3):
        limiter.acquire()

    limiter.make_room(2)
    assert clock.elapsed_s == 0
    limiter.make_room(3)
    assert clock.elapsed_s == pytest.approx(60, abs=0.1)
    limiter.make_room(99)
    assert clock.elapsed_s == pytest.approx(60, abs=0.1)


def test_a_clock_that_was_set_back_delays_by_one_window_at_most():
    now_s = 1_000_000.0
    waits = []

    class Moved(VirtualClock):
        def time(self) -> float:
            return now_s + self.elapsed_s

        def sleep(self, seconds: float) -> None:
            waits.append(seconds)
            super().sleep(seconds)

    limiter = RollingLimiter([RateLimit(2, 300)], Moved())
    limiter.acquire()
    limiter.acquire()
    now_s -= 3_600

    limiter.acquire()

    assert waits == [pytest.approx(300.05)]


def test_no_more_calls_are_under_way_than_allowed():
    under_way, most, lock = 0, 0, threading.Lock()
    session = PatientSession(vendor="echo", clock=VirtualClock(), at_once_max=2)

    class Slow(BaseAdapter):
        def send(self, request, **_):
            nonlocal under_way, most
            with lock:
                under_way += 1
                most = max(most, under_way)
            time.sleep(0.01)
            with lock:
                under_way -= 1
            response = requests.Response()
            response.status_code, response.raw = 200, io.BytesIO(b"{}")
            return response

        def close(self):
            return

    session.mount("http://", Slow())
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: session.get("http://slow.test/"), range(24)))

    assert most == 2


@given(st.text(max_size=40))
def test_any_retry_after_is_bounded(header):
    clock = VirtualClock(datetime(2026, 1, 1, tzinfo=UTC))

    seconds = retry_after_s(header, clock)

    assert seconds is None or 0 <= seconds <= 3600
