"""How a sender of webhooks proves who he is: five ways, each in constant time.

Belongs here: checking credentials and signatures. Does not: routes (`webhooks.py`), which way a source uses (settings).
Surprise: what needs no body is checked before the body is read; only a signature needs the raw bytes, and the raw
bytes it is, for JSON written anew is other bytes.

Standard Webhooks 1.0.0: the signature is over `id.timestamp.body`, a header may list several, five minutes of skew.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from standardwebhooks import Webhook

from orchestration.service.settings import WebhookSettings

SKEW_MAX = timedelta(minutes=5)
_STANDARD = ("webhook-id", "webhook-timestamp", "webhook-signature")


def is_admitted(settings: WebhookSettings, headers: Mapping[str, str], token: str | None) -> bool:
    """Whether the sender may deliver, or (where he signs) shows a signature at all. Needs no body."""
    secrets = settings.secrets()
    if settings.auth == "path-token":
        return _is_one_of(token or "", secrets)
    if settings.auth == "bearer":
        kind, _, value = headers.get(settings.header or "authorization", "").partition(" ")
        if settings.header:  # a header of its own holds the token alone
            return _is_one_of(headers.get(settings.header, ""), secrets)
        return kind.casefold() == "bearer" and _is_one_of(value.strip(), secrets)
    if settings.auth == "basic":
        kind, _, value = headers.get("authorization", "").partition(" ")
        return kind.casefold() == "basic" and _is_one_of(_decoded(value), secrets)
    if settings.auth == "hmac-header":
        return bool(headers.get(settings.header or ""))
    return all(headers.get(name) for name in _STANDARD)


def is_signed(settings: WebhookSettings, headers: Mapping[str, str], body: bytes, now: datetime) -> bool:
    """Whether `body` carries the signature that its sender's way asks for; True for ways that sign nothing."""
    if settings.auth == "hmac-header":
        given = headers.get(settings.header or "", "").removeprefix("sha256=")
        return any(_is_one_of(given, _hmac_forms(secret, body)) for secret in settings.secrets())
    if settings.auth == "standard-webhooks":
        return _is_standard(settings, headers, body, now)
    return True


def delivery_id(settings: WebhookSettings, headers: Mapping[str, str], body: bytes) -> str:
    """The sender's id of this delivery; without one a keyed digest of its bytes."""
    if settings.auth == "standard-webhooks":
        return headers["webhook-id"]
    key = settings.secrets()[0].encode()
    return "sha256:" + hmac.new(key, body, hashlib.sha256).hexdigest()


def _is_standard(settings: WebhookSettings, headers: Mapping[str, str], body: bytes, now: datetime) -> bool:
    message_id, moment, given = (headers.get(name, "") for name in _STANDARD)
    # The text is what is signed, so "017…" is not "17…".
    if not (moment.isascii() and moment.isdigit() and len(moment) <= 12 and str(int(moment)) == moment):
        return False
    if abs(now.timestamp() - int(moment)) > SKEW_MAX.total_seconds():
        return False  # before it becomes a date: twelve digits reach beyond the last year that there is
    sent_at = datetime.fromtimestamp(int(moment), UTC)
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return False
    expected = [Webhook(secret).sign(message_id, sent_at, text) for secret in settings.secrets()]
    return any(_is_one_of(one, expected) for one in given.split(" ")[:20])


def _hmac_forms(secret: str, body: bytes) -> list[str]:
    digest = hmac.new(secret.encode(), body, hashlib.sha256).digest()
    return [base64.b64encode(digest).decode(), digest.hex()]


def _is_one_of(given: str, expected: list[str]) -> bool:
    """Each comparison takes the same time wherever the texts differ; which secret it was is no secret."""
    return any(hmac.compare_digest(given.encode(), one.encode()) for one in expected)


def _decoded(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode()
    except (binascii.Error, ValueError):
        return ""
