"""A page as an answer of HTTP: a strong ETag, gzip where the caller takes it, 304 where he has it.

Belongs here: representation (RFC 9110 sections 8.8 and 12.5.3). Does not: what is said.
Surprise: a tag is made of what makes a page that very page, not of its bytes, so a 304 costs no joining and packing.
A strong ETag names exact bytes, so the gzipped form has a tag of its own; a caller may send back either.
"""

from __future__ import annotations

import gzip
import hashlib
from typing import NamedTuple

from assets.publishing.feed import Page

_GZIP_FROM_RECORDS = 4  # about a kilobyte
_GZIP_LEVEL = 3  # a fifth larger than level 5, in a third of the time


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


def answer(page: Page, *, accept_encoding: str, if_none_match: str) -> Answer:
    """200 with the page, or 304 where the caller holds these very bytes."""
    tail = page.tail
    tag = hashlib.sha256(f"{page.identity} {tail}".encode()).hexdigest()[:32]
    is_gzipped = _takes_gzip(accept_encoding) and len(page.records) >= _GZIP_FROM_RECORDS
    headers = {
        "ETag": f'"{tag}-gzip"' if is_gzipped else f'"{tag}"',
        "Vary": "Accept-Encoding",
        "Cache-Control": "private, no-cache",
    }
    if if_none_match and _has(if_none_match, tag):
        return Answer(304, headers, b"")
    body = page.as_text(tail).encode()
    if is_gzipped:
        headers["Content-Encoding"] = "gzip"
        body = gzip.compress(body, _GZIP_LEVEL, mtime=0)
    headers["Content-Type"] = "application/json"
    headers["Content-Length"] = str(len(body))
    return Answer(200, headers, body)


def _has(if_none_match: str, tag: str) -> bool:
    if if_none_match.strip() == "*":
        return True
    given = {one.strip().removeprefix("W/").strip('"').removesuffix("-gzip") for one in if_none_match.split(",")}
    return tag in given


def _takes_gzip(accept_encoding: str) -> bool:
    for offer in accept_encoding.casefold().split(","):
        coding, _, weight = offer.strip().partition(";")
        if coding.strip() == "gzip":
            return weight.strip().replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False
