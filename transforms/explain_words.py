"""The words of an explanation: what a person at a helpdesk reads for a level or a term.

Belongs here: nouns and phrases. Does not: what levels mean to the model (features.py), which terms exist (model.py).
Surprise: a level or term that is not listed still gets a plain sentence made of its own name, so a model may gain
evidence before this file knows of it.
"""

from __future__ import annotations

import re

NOUNS = {
    "first": "first name",
    "last": "surname",
    "middle": "middle name",
    "suffix": "name suffix (Jr, Sr, III)",
    "organisation": "employer",
    "mail": "e-mail address",
    "phone": "phone number",
    "linkedin": "LinkedIn page",
    "born": "date of birth",
    "street": "street address",
    "place": "place",
    "title": "job title",
    "external": "customer or register number",
    "name": "company name",
    "site": "web site",
    "country": "country",
}
ENTITY_WORDS = {"contact": ("person", "people"), "organisation": ("company", "companies")}
_COMMONNESS = {
    "very common": "very common ",
    "common": "common ",
    "middling": "fairly common ",
    "uncommon": "uncommon ",
    "rare": "rare ",
    "any": "",
}
_ANY_FIELD = {
    "missing": "no {noun} to compare",
    "same": "same {noun}",
    "different": "different {noun}s",
    "close": "{noun} almost the same",
    "similar": "similar {noun}s",
    "initial": "{noun}s agree in the initial only",
    "same initial": "{noun}s begin with the same letter",
}
_PHRASES = {
    ("first", "nickname"): "one first name is a short form of the other",
    ("first", "names swapped"): "first and last name are swapped",
    ("last", "part of a double name"): "one surname is part of the other's double name",
    ("suffix", "conflict"): "different name suffixes, such as Jr and Sr",
    ("mail", "same mailbox"): "same e-mail address",
    ("mail", "same mailbox, two names"): "same e-mail address, but used under two surnames",
    ("mail", "same domain, close mailbox"): "e-mail addresses of one domain, names before the @ almost the same",
    ("mail", "same domain, similar mailbox"): "e-mail addresses of one domain, names before the @ similar",
    ("mail", "same domain, other mailbox"): "e-mail addresses of one domain, but different names before the @",
    ("mail", "other domain, same local part"): "e-mail addresses of two domains, same name before the @",
    ("mail", "other domain, close local part"): "e-mail addresses of two domains, names before the @ almost the same",
    ("mail", "other domain, other local part"): "different e-mail addresses",
    ("mail", "same mailbox, no common employer"): "same e-mail address, although no employer in common",
    (
        "mail",
        "same domain, close mailbox, no common employer",
    ): "e-mail addresses of one domain without a common employer, names before the @ almost the same",
    (
        "mail",
        "same domain, other mailbox, no common employer",
    ): "e-mail addresses of one domain without a common employer, different names before the @",
    ("phone", "same, two names"): "same phone number, but used under two surnames",
    ("place", "same city, close postcode"): "same city, postcode almost the same",
    ("place", "close postcode"): "postcode almost the same",
    ("place", "close city"): "city almost the same",
    ("place", "elsewhere"): "different places",
    ("name", "same but for a region"): "same company name but for a region",
    ("name", "same but for spelling"): "same company name but for spelling",
    ("name", "part or acronym"): "one company name is part or acronym of the other",
    ("name", "different"): "different company names",
    ("country", "different"): "different countries",
    ("born", "different"): "different dates of birth",
    ("born", "similar"): "similar dates of birth",
    ("street", "different"): "different street addresses",
    ("street", "similar"): "similar street addresses",
    ("organisation", "similar"): "similar employers",
}
_TERMS = {
    "prior": "two records picked at random are rarely one {one}",
    "sources": "how often these two sources tell of one {one}",
    "moves": "allowing for what may have changed since, such as a new address",
    "alternatives": "what two different {many} would show as well",
    "calibration": "correction learned from how the sources overlap",
}


def of_level(feature: str, level: str) -> str:
    """What comparing one field found."""
    noun = NOUNS.get(feature, feature.replace("_", " "))
    if (feature, level) in _PHRASES:
        return _PHRASES[feature, level]
    if level in _ANY_FIELD:
        return _ANY_FIELD[level].format(noun=noun)
    graded = re.fullmatch(r"same ?(.*) \((.*)\)", level)
    if graded and graded[2] in _COMMONNESS:
        return f"same {_COMMONNESS[graded[2]]}{graded[1] or noun}"
    return f"{noun}: {level}"


def of_term(name: str, entity: str, *, kind: str = "") -> str:
    """What a term says that compares no field; `kind` is the likeliest kind of different ones."""
    one, many = ENTITY_WORDS[entity]
    words = _TERMS.get(name, name.replace("_", " ")).format(one=one, many=many)
    return f"{words} ({kind})" if kind else words


def verdict(entity: str, is_same: bool) -> str:
    one, many = ENTITY_WORDS[entity]
    return f"the same {one}" if is_same else f"two different {many}"
