"""E-mail addresses: one clean address, its parts, and what is known of it.

Belongs here: spelling (mailto:, angle brackets, capitals), syntax, placeholders.
Does not: free-mail hosts and role mailboxes (references.py), whether a mailbox is shared (matching learns it).
Surprise: an address that cannot be one becomes null *and* its status `invalid`: a reader sees that there was one.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from transforms.contracts import EMAIL_STATUSES
from transforms.kernels.columns import where_sure
from transforms.kernels.fold import clean

LENGTH_MAX = 254  # RFC 5321, path without brackets
# Apollo's stand-in for an address one has not paid for, the same for everybody.
_PLACEHOLDER_LOCALS = frozenset({"email_not_unlocked"})

_PREFIX = re.compile(r"^(?:mailto|e-?mail)\s*:\s*", re.IGNORECASE)
_BRACKETED = re.compile(r"<\s*([^<>\s]+@[^<>\s]+)\s*>")
_SEPARATOR = re.compile(r"[;,|\s]+")
_LOCAL = re.compile(r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+(?:[a-z]{2,63}|xn--[a-z0-9-]{1,59})")

# An address as most are typed: no sub-address, nothing around it, too short to break a limit of length.
_PLAIN = r"^(?P<local>[a-z0-9_-]+(?:\.[a-z0-9_-]+)*)@(?P<domain>(?:[a-z0-9]+(?:-+[a-z0-9]+)*\.)+[a-z]{2,63})$"
_PLAIN_LENGTH_MAX = 60


class Email(NamedTuple):
    """`address`, its `local` part without sub-address, its `domain`; `is_broken`: there was text but no address."""

    address: str | None
    local: str | None
    domain: str | None
    is_broken: bool


NO_EMAIL = Email(None, None, None, is_broken=False)
BROKEN_EMAIL = Email(None, None, None, is_broken=True)


def parse(text: str | None) -> Email:
    """The first address in the text."""
    cleaned = clean(text)
    if cleaned is None:
        return NO_EMAIL
    if bracketed := _BRACKETED.search(cleaned):
        cleaned = bracketed.group(1)
    cleaned = _PREFIX.sub("", cleaned).split("?")[0].strip(" <>()[]\"'.,;:")
    candidates = [part for part in _SEPARATOR.split(cleaned) if "@" in part]
    if not candidates:
        return BROKEN_EMAIL
    local, _, domain = candidates[0].strip("<>()[]\"'.,;:").lower().rpartition("@")
    domain = ascii_host(domain.rstrip(".")) or ""
    if local in _PLACEHOLDER_LOCALS:
        return NO_EMAIL
    if len(local) > 64 or len(local) + len(domain) >= LENGTH_MAX:
        return BROKEN_EMAIL
    if not (_LOCAL.fullmatch(local) and _DOMAIN.fullmatch(domain)):
        return BROKEN_EMAIL
    return Email(f"{local}@{domain}", local.split("+")[0] or local, domain, is_broken=False)


def plain(texts: pa.Array) -> pa.Array:
    """The short way of `parse`."""
    addresses = pc.ascii_lower(texts)
    local, domain = pc.extract_regex(addresses, _PLAIN).flatten()
    is_short = pc.less_equal(pc.binary_length(addresses), _PLAIN_LENGTH_MAX)
    is_placeholder = pc.is_in(local, pa.array(sorted(_PLACEHOLDER_LOCALS)))
    is_sure = pc.and_(pc.and_(local.is_valid(), is_short), pc.invert(is_placeholder))
    return where_sure(is_sure, Email, addresses, local, domain, pa.repeat(False, len(texts)))


def status(email: Email, said: str | None) -> str | None:
    """The status of the address: what the source said, within the vocabulary."""
    if email.address is None:
        return "invalid" if email.is_broken or said == "invalid" else None
    return said if said in EMAIL_STATUSES else "unknown"


def statuses(parsed: pa.StructArray, said: pa.Array) -> pa.Array:
    """`status` of every row."""
    is_invalid = pc.or_(parsed.field("is_broken"), pc.fill_null(pc.equal(said, "invalid"), False))
    of_address = pc.if_else(pc.is_in(said, pa.array(EMAIL_STATUSES)), said, "unknown")
    of_nothing = pc.if_else(is_invalid, "invalid", pa.scalar(None, pa.string()))
    return pc.if_else(parsed.field("address").is_valid(), of_address, of_nothing)


def ascii_host(host: str) -> str | None:
    """A host name in ASCII (IDNA), lower case; None where it cannot be one."""
    if host.isascii():
        return host.lower() or None
    try:
        return host.encode("idna").decode("ascii").lower()
    except UnicodeError:
        return None
