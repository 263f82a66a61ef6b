"""HTTP towards vendors: polite, patient, bounded.

Belongs here: limits before a call, retries after it, caps on what an answer may cost us, classes of errors.
Does not: what a vendor's bodies mean (each vendor's `client.py`), money (`intake.Meter`).
Surprise: an answer of a vendor is hostile input. Redirects are not followed, bodies are capped while they are read,
and a body shorter than announced counts as a broken connection, not as an empty page.
"""

from __future__ import annotations

import json
import math
import re
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import requests
import tenacity
import urllib3

from sources.clock import Clock
from sources.limiter import CallBook, RateLimit, RollingLimiter

USER_AGENT = "halosync/0.1 (B2B contact sync for HaloPSA)"
RETRY_STATUSES = frozenset({429, 500, 502, 503, 504})
RETRY_WAIT_S_MAX = 3_600.0  # an absurd Retry-After (a year) must not park a run for ever
BACKOFF_S_FIRST, BACKOFF_S_MAX = 1.0, 60.0
# The largest honest page seen in the vendors' samples is under 2 MB; a body of 64 MB is an attack or a defect.
BODY_BYTES_MAX = 64 * 1024 * 1024
JSON_DEPTH_MAX = 64  # what .NET, and so HaloPSA, writes at most; Python's own reader gives up at about a thousand
JSON_DIGITS_MAX = (
    40  # a longer number is kept as text: Python refuses to read one of 5,000 digits, and the page with it
)
_JSON_MARKS = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[{}\[\]]', re.DOTALL)


class VendorError(Exception):
    """A vendor's answer that ends a call.

    Attributes:
        status: HTTP status, 0 where no whole answer came.
        body: at most 2,000 characters of the answer, for classification; never logged.
        retryable: whether the same call may succeed later.
        retry_after_s: what the vendor asked us to wait, None where it did not say.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int = 0,
        body: str = "",
        retryable: bool = False,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.body = body
        self.retryable = retryable
        self.retry_after_s = retry_after_s

    @property
    def reason(self) -> str:
        """Why a call is sent again, in a word for the run's notes."""
        return f"HTTP {self.status}" if self.status else "no whole answer"


class RateLimited(VendorError):
    """429 until patience ran out."""


class Unreachable(VendorError):
    """No whole answer: refused, reset, timed out, truncated, too large."""


class Unauthorised(VendorError):
    """401: key or token is missing, wrong, expired or revoked."""


class Forbidden(VendorError):
    """403: scope, plan or rights."""


class BadRequest(VendorError):
    """Any other 4xx: our own mistake or a business rule."""


class ServerError(VendorError):
    """5xx until patience ran out."""


class PatientSession(requests.Session):
    """A session that waits for its limits and retries what may be retried.

    `request(...)` returns answers below 400 and raises `VendorError` for the rest. With `retry=False` it sends once:
    for writes, whose outcome must be looked up before they are sent again.
    """

    def __init__(
        self,
        *,
        vendor: str,
        clock: Clock,
        limits: Sequence[RateLimit] = (),
        book: CallBook | None = None,
        at_once_max: int | None = None,
        attempts: int = 6,
        timeout_s: float = 30.0,
        body_bytes_max: int = BODY_BYTES_MAX,
        base_headers: Mapping[str, str] | None = None,
        on_wait: Callable[[float, str], None] | None = None,
    ) -> None:
        """`book`: where calls are counted, for a limit that processes share; None: in this session alone.
        `at_once_max`: calls under way at one time; None: as many as there are threads."""
        super().__init__()
        self.trust_env = False  # no proxy, no .netrc: hosts and secrets come from settings alone
        self.vendor = vendor
        self.clock = clock
        self.limiter = RollingLimiter(limits, clock, book)
        self._slots = threading.BoundedSemaphore(at_once_max) if at_once_max else nullcontext()
        self.attempts = attempts
        self.timeout_s = timeout_s
        self.body_bytes_max = body_bytes_max
        self.on_wait = on_wait
        self.retried: Counter[str] = Counter()  # why we asked again, and how often; the run's summary tells it
        self.headers["User-Agent"] = USER_AGENT
        self.headers.update(base_headers or {})

    def request(self, method: Any, url: Any, *args: Any, retry: bool = True, **kwargs: Any) -> requests.Response:
        """Send, waiting and retrying as needed.

        Raises:
            VendorError: the subclass that fits the status; `Unreachable` where no whole answer came.
        """
        attempts = self.attempts if retry else 1
        return self._retrying(attempts)(self._once, method, url, *args, **kwargs)

    def fetch_json(self, method: str, url: str, *, retry: bool = True, is_charged: bool = False, **kwargs: Any) -> Any:
        """Send a read and parse its JSON; an answer that is no JSON (truncated, a proxy's page) is asked for again.

        `is_charged`: the call may have cost money although its answer never came. Then only a 429 is sent again, for
        it was refused before any work.

        Raises:
            VendorError: as `request`; `Unreachable` where the last answer was no JSON.
        """

        def once() -> Any:
            return json_of(self._once(method, url, **kwargs), self.vendor)

        return self._retrying(self.attempts if retry else 1, is_charged=is_charged)(once)

    def _retrying(self, attempts: int, *, is_charged: bool = False) -> tenacity.Retrying:
        again = RateLimited if is_charged else VendorError
        return tenacity.Retrying(
            stop=tenacity.stop_after_attempt(attempts),
            retry=tenacity.retry_if_exception(lambda error: isinstance(error, again) and error.retryable),
            wait=_wait_s,
            sleep=self.clock.sleep,
            before_sleep=self._note_wait,
            reraise=True,
        )

    def _once(self, method: str, url: str, *args: Any, **kwargs: Any) -> requests.Response:
        kwargs.setdefault("timeout", self.timeout_s)
        kwargs |= {"allow_redirects": False, "stream": True}
        try:
            with self._slots:
                self.limiter.acquire()  # last of all, so that a call leaves when it is counted
                response = super().request(method, url, *args, **kwargs)
                _read_capped(response, self.body_bytes_max)
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            reason = type(error).__name__
            raise Unreachable(f"{self.vendor}: no whole answer ({reason})", retryable=True) from error
        if 200 <= response.status_code < 300:
            return response
        raise self.error_of(response)

    def error_of(self, response: requests.Response) -> VendorError:
        """The error an answer of 3xx, 4xx or 5xx stands for. The text names status and path, never the body."""
        status = response.status_code
        kind: type[VendorError] = {401: Unauthorised, 403: Forbidden, 429: RateLimited}.get(
            status, ServerError if status >= 500 else BadRequest
        )
        text = f"{self.vendor}: HTTP {status} on {urlsplit(response.url).path}"
        if kind is Unauthorised:
            text += f": the key is refused; see SOURCES__{self.vendor.upper()}__… in .env"
        return kind(
            text,
            status=status,
            body=response.text[:2000],
            retryable=status in RETRY_STATUSES,
            retry_after_s=retry_after_s(response.headers.get("Retry-After"), self.clock),
        )

    def _note_wait(self, state: tenacity.RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, VendorError):
            self.retried[error.reason] += 1
        if self.on_wait and state.next_action:
            self.on_wait(state.next_action.sleep, str(error))


def json_of(response: requests.Response, vendor: str) -> Any:
    """The answer as JSON.

    Raises:
        Unreachable: not JSON (an HTML page of a proxy, a truncated text); retryable for reads.
    """
    try:
        try:
            return json.loads(response.content.decode("utf-8-sig"))
        except (ValueError, RecursionError):
            # A byte that is no UTF-8 becomes a lone surrogate: the screen refuses its row and not the page.
            text = response.content.decode("utf-8-sig", "surrogateescape")
            return json.loads(_pruned(text), parse_int=_int_or_text)
    except ValueError as error:
        kind = response.headers.get("Content-Type", "no content type")
        raise Unreachable(f"{vendor}: the answer is not JSON ({kind})", retryable=True) from error


def _pruned(text: str) -> str:
    """JSON whose nesting below `JSON_DEPTH_MAX` is cut off: a row that nests without end must not take its page along.
    It stays nested deeper than any screen lets in, so that the row is refused by its id."""
    kept: list[str] = []
    depth = start = 0
    for mark in _JSON_MARKS.finditer(text):
        if mark.group() in ("{", "["):
            depth += 1
            if depth == JSON_DEPTH_MAX + 1:
                kept += [text[start : mark.start()], "null"]
        elif mark.group() in ("}", "]"):
            depth -= 1
            if depth == JSON_DEPTH_MAX:
                start = mark.end()
    if depth > JSON_DEPTH_MAX:
        raise ValueError("nested without end")
    return "".join(kept) + text[start:]


def _int_or_text(digits: str) -> int | str:
    return int(digits) if len(digits) <= JSON_DIGITS_MAX else digits


def retry_after_s(header: str | None, clock: Clock) -> float | None:
    """Seconds that a Retry-After header asks for, in seconds or as a date; None where absent or absurd.

    Bounded to [0, RETRY_WAIT_S_MAX]. Source: RFC 9110, section 10.2.3.
    """
    if not header:
        return None
    try:
        seconds = float(header)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(header).timestamp() - clock.time()
        except (ValueError, TypeError):
            return None
    if math.isnan(seconds) or seconds < 0:
        return None
    return min(seconds, RETRY_WAIT_S_MAX)


def _wait_s(state: tenacity.RetryCallState) -> float:
    """What the vendor asked for; else doubling from one second. No jitter: one client, and runs must be repeatable."""
    backoff_s = min(BACKOFF_S_FIRST * 2 ** (state.attempt_number - 1), BACKOFF_S_MAX)
    error = state.outcome.exception() if state.outcome else None
    asked_s = error.retry_after_s if isinstance(error, VendorError) else None
    if isinstance(error, RateLimited) and asked_s is None:
        # Without Retry-After a rolling window of minutes never recovers in seconds (HaloPSA: 5 minutes).
        return min(30.0 * 2 ** (state.attempt_number - 1), 300.0)
    return max(asked_s, backoff_s) if asked_s else backoff_s


def _read_capped(response: requests.Response, bytes_max: int) -> None:
    """Read the whole body into `response.content`, at most `bytes_max` decoded bytes."""
    chunks: list[bytes] = []
    size = 0
    for chunk in response.iter_content(64 * 1024):
        size += len(chunk)
        if size > bytes_max:
            response.close()
            raise requests.ConnectionError(f"body larger than {bytes_max} bytes")
        chunks.append(chunk)
    response._content = b"".join(chunks)  # what requests itself sets when it reads a body without a cap
    response._content_consumed = True  # type: ignore[attr-defined]
