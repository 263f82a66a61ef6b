"""Web addresses: hosts, registrable domains, LinkedIn pages.

Belongs here: reading a domain out of whatever stands in a domain, website or e-mail column; LinkedIn slugs.
Does not: hosts that are nobody's own (references.py), what a shared domain is worth (matching learns it).
Surprise: the bundled public suffix list is used and never fetched, private suffixes included: firm-a.github.io and
firm-b.github.io are two sites, and github.io is none.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import quote, unquote

import pyarrow as pa
import pyarrow.compute as pc

from transforms.kernels.columns import where_sure
from transforms.kernels.emails import ascii_host
from transforms.kernels.fold import NOT_A_NUMBER, NOTHING, clean
from transforms.kernels.suffixes import registrable

_SCHEME = re.compile(r"^(?:[a-z][a-z0-9+.-]*:)?/+|^(?:https?|mailto):/*", re.IGNORECASE)
_HOST_END = re.compile(r"[/?#\s,;|]")
_HOST = re.compile(r"(?=.{1,253}$)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z0-9-]{2,63}")
_ADDRESS = re.compile(r"[0-9.]+")
_WWW = re.compile(r"^www\d?\.")

_LINKEDIN = re.compile(
    r"(?:^|[/.])linkedin\.[a-z.]{2,6}/(?:mwlite/)?(?P<kind>in|pub|company|school|showcase|organization)/(?P<path>[^?#\s]+)",
    re.IGNORECASE,
)
_LINKEDIN_BARE = re.compile(r"^/?(?P<kind>in|pub|company|school|showcase)/(?P<path>[^?#\s]+)", re.IGNORECASE)
# A page as most are linked: nothing escaped, at most a query behind it.
_PLAIN_PERSON = r"^(?:https?://)?(?:[a-z]{2,3}\.)?linkedin\.com/in/(?P<slug>[a-z0-9](?:[a-z0-9_-]*[a-z0-9])?)/?(?:[?][a-z0-9_=-]*)?$"
_PLAIN_COMPANY = _PLAIN_PERSON.replace("/in/", "/(?:company|school|showcase|organization)/")
_PERSON_KINDS = frozenset({"in", "pub"})
_SLUG_LENGTH_MAX = 200


class LinkedIn(NamedTuple):
    """`slug` names the page, `url` is its one spelling."""

    slug: str | None
    url: str | None


NO_LINKEDIN = LinkedIn(None, None)


def host(text: str | None) -> str | None:
    """The host name in a domain, web address or e-mail address: ASCII, lower case, without "www."."""
    cleaned = clean(text)
    if cleaned is None:
        return None
    rest = _HOST_END.split(_SCHEME.sub("", cleaned.strip("<>()[]\"' ")), maxsplit=1)[0]
    rest = rest.rpartition("@")[2].partition(":")[0].strip(".")
    name = ascii_host(rest)
    if name is None:
        return None
    name = _WWW.sub("", name)
    if not _HOST.fullmatch(name) or _ADDRESS.fullmatch(name):
        return None
    return name


@lru_cache(maxsize=100_000)
def site(text: str | None) -> str | None:
    """The registrable domain: brackwell.co.uk of https://www.shop.brackwell.co.uk/about; None for a bare suffix."""
    name = host(text)
    return registrable(name) if name is not None else None


def website(text: str | None) -> str | None:
    """https://host/path, one spelling for one page: no "www.", no query, no closing slash."""
    name = host(text)
    if name is None:
        return None
    cleaned = _SCHEME.sub("", clean(text) or "").split("?")[0].split("#")[0]
    path = cleaned.partition("/")[2].split(" ")[0].strip("/") if "@" not in cleaned else ""
    return f"https://{name}/{path}" if path else f"https://{name}"


def linkedin_person(text: str | None) -> LinkedIn:
    """The profile a link points at, whatever its country sub-domain, locale tail or age."""
    return _linkedin(text, is_person=True)


def linkedin_company(text: str | None) -> LinkedIn:
    """The company, school or showcase page a link points at."""
    return _linkedin(text, is_person=False)


def plain_person(texts: pa.Array) -> pa.Array:
    """The short way of `linkedin_person`."""
    return _plain_linkedin(texts, _PLAIN_PERSON, "https://www.linkedin.com/in/")


def plain_company(texts: pa.Array) -> pa.Array:
    """The short way of `linkedin_company`."""
    return _plain_linkedin(texts, _PLAIN_COMPANY, "https://www.linkedin.com/company/")


def _plain_linkedin(texts: pa.Array, pattern: str, start: str) -> pa.Array:
    (slugs,) = pc.extract_regex(pc.ascii_lower(texts), pattern).flatten()
    says_nothing = pc.is_in(slugs, pa.array(sorted({*NOTHING, *(word.lower() for word in NOT_A_NUMBER)})))
    is_sure = pc.and_(pc.less(pc.binary_length(slugs), _SLUG_LENGTH_MAX), pc.invert(says_nothing))
    return where_sure(is_sure, LinkedIn, slugs, pc.binary_join_element_wise(start, slugs, ""))


def _linkedin(text: str | None, *, is_person: bool) -> LinkedIn:
    cleaned = clean(text)
    if cleaned is None:
        return NO_LINKEDIN
    match = _LINKEDIN.search(cleaned) or _LINKEDIN_BARE.search(cleaned)
    if match is None or (match["kind"].lower() in _PERSON_KINDS) is not is_person:
        return NO_LINKEDIN
    elements = [element for element in match["path"].split("/") if element]
    if not elements:
        return NO_LINKEDIN
    decoded = clean(unquote(elements[0], errors="ignore"))
    slug = re.sub(r"[\s/]+", "-", decoded).strip("-.,;)\"'").lower() if decoded else ""
    if match["kind"].lower() == "pub" and len(elements) >= 4:
        slug = _modern_slug(slug, elements[1:4])
    if not slug or len(slug) > _SLUG_LENGTH_MAX:
        return NO_LINKEDIN
    page = "in" if is_person else "company"
    return LinkedIn(slug, f"https://www.linkedin.com/{page}/{quote(slug, safe='-_.~')}")


def _modern_slug(name: str, numbers: list[str]) -> str:
    """/pub/ann-lee/1a/234/b56 is today's /in/ann-lee-b562341a: LinkedIn turned the three numbers round."""
    first, second, third = (number.lower() for number in numbers)
    if not all(re.fullmatch(r"[0-9a-z]{1,3}", number) for number in (first, second, third)):
        return name
    return f"{name}-{third.zfill(3)}{second.zfill(3)}{first.lstrip('0')}"
