"""Bytes of an answer: JSON in a fixed order, a strong ETag, gzip where the caller takes it, 304 where he has it.

Belongs here: representation (RFC 9110 sections 8.8 and 12.5.3). Does not: what is said.
Surprise: a strong ETag names exact bytes, so the gzipped form has a tag of its own; a caller may send back either.
"""

from __future__ import annotations

import gzip
import hashlib

from fastapi import Request, Response

_GZIP_FROM_BYTES = 1_000
_GZIP_LEVEL = 5


def json_answer(request: Request, body: bytes) -> Response:
    """200 with `body`, or 304 where the caller holds these very bytes."""
    plain_tag = hashlib.sha256(body).hexdigest()[:32]
    is_gzipped = len(body) >= _GZIP_FROM_BYTES and _takes_gzip(request.headers.get("accept-encoding", ""))
    headers = {
        "ETag": f'"{plain_tag}-gzip"' if is_gzipped else f'"{plain_tag}"',
        "Vary": "Accept-Encoding",
        "Cache-Control": "private, no-cache",
    }
    if _has(request.headers.get("if-none-match", ""), plain_tag):
        return Response(status_code=304, headers=headers)
    if is_gzipped:
        headers["Content-Encoding"] = "gzip"
        body = gzip.compress(body, _GZIP_LEVEL, mtime=0)
    return Response(body, media_type="application/json", headers=headers)


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
