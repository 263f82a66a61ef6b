"""Registrable domains: the public suffix list that tldextract carries, read without importing tldextract.

Belongs here: which part of a host name its owner registered. Does not: what a host name is (links.py).
Surprise: the short way again. Importing tldextract brings all of requests (0.15 s, a tenth of a small run) and it takes
15 microseconds a host where this takes 2; names in punycode are still left to it. Tests hold the two together.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tldextract import TLDExtract

_RULE = re.compile(r"^[.*!]*\w\S*", re.MULTILINE)
_END = "."  # no label, so it can mark in the tree where a rule ends


def registrable(host: str) -> str | None:
    """The public suffix, private ones included, and the label before it; None where the host is itself a suffix."""
    labels = host.split(".")
    if "xn--" in host:
        extracted = _tldextract()(host)
        length = len(extracted.suffix.split(".")) if extracted.suffix else 0
    else:
        length = _suffix_length(labels)
    length = length or 1  # the list's own default rule: an unknown last label is a suffix
    return ".".join(labels[-length - 1 :]) if length < len(labels) else None


def _suffix_length(labels: list[str]) -> int:
    """Labels of the longest rule that fits; 0 where none does."""
    node = _rules()
    longest = 0
    for length, label in enumerate(reversed(labels), start=1):
        if label in node:
            node = node[label]
            longest = length if _END in node else longest
        elif "*" in node:
            return length - 1 if "!" + label in node else length
        else:
            break
    return longest


@cache
def _rules() -> dict[str, Any]:
    """The list as a tree of labels, the last one at the root."""
    package = find_spec("tldextract")
    assert package is not None, "tldextract is not installed"
    assert package.origin is not None, "tldextract has no files"
    text = (Path(package.origin).parent / ".tld_set_snapshot").read_text(encoding="utf-8")
    root: dict[str, Any] = {}
    for rule in _RULE.findall(text):
        node = root
        for label in reversed(rule.split(".")):
            node = node.setdefault(label, {})
        node[_END] = True
    return root


@cache
def _tldextract() -> TLDExtract:
    from tldextract import TLDExtract

    return TLDExtract(suffix_list_urls=(), cache_dir=None, include_psl_private_domains=True)
