"""A signed-in session with one HaloPSA tenant: one shared token, one shared rate limit.

Belongs here: getting and renewing the token, one authenticated call. Does not: resources, paging, outcomes of writes
(`client.py`, `walk.py`).
Surprise: a second token may make the first one void on some tenants, so all threads share one, and renewing it is
single-flight: whoever comes second finds it renewed. Token calls count against the rate limit like any other.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

import requests

from sources.clock import Clock
from sources.halopsa import settings
from sources.halopsa.errors import message_of
from sources.http import BadRequest, PatientSession, ServerError, Unauthorised, VendorError, json_of
from sources.limiter import CallBook, RateLimit

VENDOR = "halopsa"


class HaloSession:
    """Calls below `/api`, signed in. Thread-safe."""

    def __init__(
        self,
        base_url: str,
        tenant: str,
        client_id: str,
        client_secret: str,
        clock: Clock,
        *,
        calls_per_window: int = settings.CALLS_PER_WINDOW,
        window_s: float = settings.WINDOW_S,
        book: CallBook | None = None,
        attempts: int = 8,
        timeout_s: float = 60.0,
    ) -> None:
        self.http = PatientSession(
            vendor=VENDOR,
            clock=clock,
            limits=(RateLimit(calls_per_window, window_s),),
            book=book,
            at_once_max=settings.CALLS_AT_ONCE_MAX,
            attempts=attempts,  # eight: without Retry-After the waits of a 429 then add up past two whole windows
            timeout_s=timeout_s,
            base_headers={"Accept": "application/json"},
        )
        self.clock = clock
        self.base_url = base_url.rstrip("/")
        self._tenant = tenant
        self._credentials = {
            "grant_type": "client_credentials",
            "client_id": client_id,
            "client_secret": client_secret,
            "scope": settings.SCOPE,
        }
        self._lock = threading.Lock()
        self._token: str | None = None
        self._renew_at_s = 0.0

    def check(self) -> None:
        """Sign in, asking once: whether the settings are right, before anything costs.

        Raises:
            Unauthorised, BadRequest: HaloPSA is there and refuses client id, secret or tenant.
            VendorError: it cannot be reached now.
        """
        with self._lock:
            self._sign_in(retry=False)

    def read(self, path: str, params: Mapping[str, Any] | None = None) -> Any:
        """JSON of a GET below `/api`, retried as reads may be; signed in anew once if the token was refused.

        Raises:
            VendorError: after all patience.
        """
        token = self._token_now()
        try:
            return self._get(path, params, token)
        except Unauthorised:
            return self._get(path, params, self._token_after(token))

    def write(self, path: str, body: Any, params: Mapping[str, Any] | None = None) -> requests.Response:
        """The answer to a POST below `/api`, sent once; a second time only after a 401, which applied nothing.

        Raises:
            VendorError: anything but a 2xx; whether it was applied is for the caller to judge.
        """
        token = self.signed_in()
        try:
            return self._post(path, body, params, token)
        except Unauthorised:
            try:
                renewed = self._token_after(token)
            except VendorError as error:
                raise NotSent(str(error)) from error
            return self._post(path, body, params, renewed)

    def signed_in(self) -> str:
        """A token that is good now.

        Raises:
            NotSent: none is to be had; nothing of the call it was meant for has left.
        """
        try:
            return self._token_now()
        except VendorError as error:
            raise NotSent(str(error)) from error

    def _get(self, path: str, params: Mapping[str, Any] | None, token: str) -> Any:
        return self.http.fetch_json("GET", self._url(path), params=params, headers=_bearer(token))

    def _post(self, path: str, body: Any, params: Mapping[str, Any] | None, token: str) -> requests.Response:
        return self.http.request("POST", self._url(path), json=body, params=params, headers=_bearer(token), retry=False)

    def _url(self, path: str) -> str:
        return f"{self.base_url}{settings.API}/{path}"

    def _token_now(self) -> str:
        with self._lock:
            if self._token is None or self.clock.time() >= self._renew_at_s:
                self._sign_in()
            assert self._token is not None
            return self._token

    def _token_after(self, refused: str) -> str:
        """A token other than the one that was refused; signs in unless another thread has done so already."""
        with self._lock:
            if self._token == refused or self._token is None:
                self.http.retried["HTTP 401"] += 1
                self._sign_in()
            assert self._token is not None
            return self._token

    def _sign_in(self, *, retry: bool = True) -> None:
        self._token = None
        url = f"{self.base_url}{settings.TOKEN_PATH}"
        try:
            answer = self.http.fetch_json(
                "POST", url, retry=retry, params={"tenant": self._tenant}, data=self._credentials
            )
        except VendorError as error:
            raise self._explained(error) from error
        token = answer.get("access_token") if isinstance(answer, dict) else None
        if not isinstance(token, str) or not token:
            raise BadRequest(f"{VENDOR}: the token endpoint answered without access_token", status=200)
        life_s = _life_s(answer.get("expires_in"))
        self._token = token
        self._renew_at_s = self.clock.time() + life_s - min(settings.TOKEN_MARGIN_S, life_s / 2)

    def _explained(self, error: VendorError) -> VendorError:
        """The same error with what usually stands behind it. Credentials and bodies never enter the text."""
        if isinstance(error, Unauthorised) or (error.status == 400 and "invalid_client" in message_of(error.body)):
            text = "HaloPSA refuses client id or secret (SOURCES__HALOPSA__CLIENT_ID, …__CLIENT_SECRET)"
            return Unauthorised(f"{VENDOR}: {text}; copy both from the API application in HaloPSA", status=error.status)
        if error.status == 404:
            return BadRequest(f"{VENDOR}: there is no HaloPSA at SOURCES__HALOPSA__BASE_URL (HTTP 404)", status=404)
        if error.status != 500:
            return error
        own_name = self._name_of_tenant()
        if own_name is None:
            text = f"the token endpoint answers 500, as HaloPSA also answers an unknown tenant ({self._tenant!r})"
            return ServerError(f"{VENDOR}: {text}; see SOURCES__HALOPSA__TENANT", status=500, retryable=True)
        text = f"HaloPSA is up and its sign-in does not know tenant {self._tenant!r}; it calls itself {own_name!r}"
        return Unauthorised(f"{VENDOR}: {text}. Mend SOURCES__HALOPSA__TENANT", status=500)

    def _name_of_tenant(self) -> str | None:
        """What HaloPSA says of itself to everybody; None where it says nothing, which is how an outage looks.

        An unknown tenant is answered with 500, as a failure is; this tells the two apart.
        """
        try:
            answer = self.http.fetch_json("GET", self._url("AuthInfo"), retry=False)
        except VendorError:
            return None
        name = answer.get("tenant_id") if isinstance(answer, dict) else None
        return str(name)[:80] if name else None


class NotSent(VendorError):
    """No token was to be had, so the write it was meant for never left."""

    def __init__(self, message: str) -> None:
        super().__init__(message, retryable=True)


def json_or_none(response: requests.Response) -> Any:
    """The answer's JSON; None where it is none (a proxy's page, half a text, nothing)."""
    try:
        return json_of(response, VENDOR)
    except VendorError:
        return None


def _life_s(expires_in: Any) -> float:
    try:
        life_s = float(expires_in)
    except (TypeError, ValueError):
        return 3_600.0
    return min(life_s, settings.TOKEN_S_MAX) if life_s > 0 else 3_600.0


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
