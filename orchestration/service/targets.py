"""Where an outgoing webhook may go: checked by address, and connected to just the address that was checked.

Belongs here: the rules against server-side request forgery, and one POST under them. Does not: what is sent, retries.
Surprise: a name is resolved once. Checking a name and then handing the name to a client would let its owner answer
differently the second time. Redirects are not followed, and no proxy of the environment is used.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
from dataclasses import dataclass
from urllib.parse import urlsplit

import urllib3

from orchestration.service.settings import HookSettings

URL_MAX = 2_000
ANSWER_BYTES_MAX = 16_384  # an answer is read so far that its connection could end cleanly, never for its content


class TargetRefused(Exception):
    """The address may not be told; the message may be shown."""


@dataclass(frozen=True)
class Target:
    """An address that was checked: connect to `address`, speak to `host`."""

    scheme: str
    host: str
    port: int
    path: str
    address: str


def checked(url: str, settings: HookSettings) -> Target:
    """Parse and resolve `url`.

    Raises:
        TargetRefused: scheme, form or address is none that may be told.
    """
    schemes = ("https", "http") if settings.is_private_allowed else ("https",)
    if len(url) > URL_MAX or not url.isascii() or not url.isprintable() or any(one in url for one in " \\#"):
        raise TargetRefused("the address must be plain ASCII without spaces, backslashes or a fragment")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise TargetRefused("the address cannot be read") from error
    if parts.scheme not in schemes:
        raise TargetRefused(f"the address must begin with {' or '.join(schemes)}://")
    if not parts.hostname or "@" in parts.netloc:
        raise TargetRefused("the address needs a host, and no user before it")
    port = port or {"https": 443, "http": 80}[parts.scheme]
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme, parts.hostname, port, path, _resolved(parts.hostname, port, settings))


def post(target: Target, body: bytes, headers: dict[str, str], settings: HookSettings) -> tuple[int, str]:
    """POST to the very address that was checked; status, and Retry-After as it was sent.

    Raises:
        urllib3.exceptions.HTTPError, OSError: no answer.
    """
    timeout = urllib3.Timeout(connect=settings.connect_s, read=settings.answer_s)
    common: dict[str, object] = {"timeout": timeout, "retries": False, "maxsize": 1}
    pool: urllib3.HTTPConnectionPool
    if target.scheme == "https":
        pool = urllib3.HTTPSConnectionPool(
            target.address, target.port, ssl_context=ssl.create_default_context(), server_hostname=target.host,
            assert_hostname=target.host, **common,  # type: ignore[arg-type]
        )  # fmt: skip
    else:
        pool = urllib3.HTTPConnectionPool(target.address, target.port, **common)  # type: ignore[arg-type]
    with pool:
        own = {"Host": _authority(target), "User-Agent": "halosync", **headers}
        answer = pool.urlopen("POST", target.path, body=body, headers=own, redirect=False, preload_content=False)
        try:
            answer.read(ANSWER_BYTES_MAX, decode_content=False)
            return answer.status, answer.headers.get("Retry-After", "")
        finally:
            answer.close()


def _resolved(host: str, port: int, settings: HookSettings) -> str:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise TargetRefused("the host has no address") from error
    addresses = [str(one[4][0]) for one in found]
    # One bad address among several is enough: the name's owner may be trying.
    if not settings.is_private_allowed and not all(_is_public(one) for one in addresses):
        raise TargetRefused("the host's address is none of the public internet (SERVICE__HOOKS__IS_PRIVATE_ALLOWED)")
    return addresses[0]


def _is_public(text: str) -> bool:
    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1] or _nat64(address)
        if inner is not None:
            return _is_public(str(inner))
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


def _nat64(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    if address in ipaddress.IPv6Network("64:ff9b::/96"):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return None


def _authority(target: Target) -> str:
    host = f"[{target.host}]" if ":" in target.host else target.host
    return host if target.port == {"https": 443, "http": 80}[target.scheme] else f"{host}:{target.port}"
