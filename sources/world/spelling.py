"""Spelling: how a vendor writes a true value down, with or without a slip.

Belongs here: pure functions from (value, random bits) to another spelling.
Does not: which records get one (contacts.py, organisations.py), with what rate (profile.py).
Surprise: bits come in from outside, so that the same record is misspelt the same way in every run.
"""

from __future__ import annotations

from sources.world.words import pairs

_NEIGHBOURS = pairs("letters", "keyboard")
_TITLE_SHORT = (
    ("Chief Executive Officer", "CEO"),
    ("Chief Financial Officer", "CFO"),
    ("Chief Technology Officer", "CTO"),
    ("Chief Information Officer", "CIO"),
    ("Chief Operating Officer", "COO"),
    ("Chief Marketing Officer", "CMO"),
    ("Chief Revenue Officer", "CRO"),
    ("Senior Vice President", "SVP"),
    ("Vice President", "VP"),
    ("Information Technology", "IT"),
    ("Human Resources", "HR"),
    ("Managing Director", "MD"),
    ("Senior", "Sr."),
    ("Manager", "Mgr"),
    ("Engineer", "Eng."),
    ("Administrator", "Admin"),
    ("Assistant", "Asst."),
    ("Operations", "Ops"),
    ("Development", "Dev"),
)
_COMPANY_SHORT = (
    ("Manufacturing", "Mfg"),
    ("International", "Intl"),
    ("Services", "Svcs"),
    ("Technologies", "Tech"),
    ("Associates", "Assoc."),
    ("Engineering", "Eng"),
    ("Management", "Mgmt"),
    ("Solutions", "Sol."),
    ("Construction", "Constr."),
    ("Brothers", "Bros"),
    ("Distribution", "Dist."),
    (" and ", " & "),
    (" & ", " and "),
    ("Logistics", "Log."),
    ("Group", "Grp"),
)
_FORM_VARIANTS = {
    "Ltd": ("Limited", "LTD", "Ltd."),
    "Limited": ("Ltd", "Ltd.", "LIMITED"),
    "Inc": ("Inc.", "Incorporated", ", Inc."),
    "LLC": ("L.L.C.", "llc", ", LLC"),
    "Corp": ("Corporation", "Corp."),
    "Co": ("Company", "Co."),
    "PLC": ("plc", "Public Limited Company"),
    "GmbH": ("gmbh", "G.m.b.H.", "Gesellschaft mbH"),
    "Pty Ltd": ("Pty. Ltd.", "Proprietary Limited", "P/L"),
    "SAS": ("S.A.S.", "sas"),
    "SARL": ("S.à r.l.", "Sarl"),
    "SL": ("S.L.", "Sociedad Limitada"),
    "BV": ("B.V.", "bv"),
    "AB": ("Aktiebolag", "(publ) AB"),
}


def slip(word: str, bits: int) -> str:
    """One typing slip (neighbouring key, lost letter, doubled letter, two letters exchanged); short words stay."""
    if len(word) < 3:
        return word
    bits, kind = divmod(bits, 4)
    place = 1 + bits % (len(word) - 2)
    letter = word[place]
    if kind == 0:
        choices = _NEIGHBOURS.get(letter.lower(), letter)
        return word[:place] + choices[bits // 7 % len(choices)] + word[place + 1 :]
    if kind == 1:
        return word[:place] + word[place + 1 :]
    if kind == 2:
        return word[:place] + letter + word[place:]
    return exchanged(word, bits)


def exchanged(word: str, bits: int) -> str:
    """Two neighbouring letters exchanged, never the first."""
    if len(word) < 3:
        return word
    place = 1 + bits % (len(word) - 2)
    return word[:place] + word[place + 1] + word[place] + word[place + 2 :]


def title_spelling(title: str, bits: int) -> str:
    """A job title shortened, turned round ("Director of Sales" -> "Sales Director") or in other case."""
    bits, kind = divmod(bits, 8)
    if kind < 4:
        return _shortened(title, _TITLE_SHORT)
    if kind < 6 and " of " in title:
        head, tail = title.split(" of ", 1)
        return f"{tail} {head}"
    if kind == 6 and " of " in title:
        return title.replace(" of ", ", ", 1)
    return title.upper() if bits % 5 == 0 else title


def company_abbreviation(name: str) -> str:
    """The first word that has a usual short form, shortened."""
    return _shortened(name, _COMPANY_SHORT)


def _shortened(text: str, table: tuple[tuple[str, str], ...]) -> str:
    for word, short in table:
        if word in text:
            return text.replace(word, short, 1)
    return text


def legal_form(form: str, bits: int) -> str:
    """Another spelling of a legal form, with the space or comma before it."""
    variants = _FORM_VARIANTS.get(form, (form,))
    variant = variants[bits % len(variants)]
    return variant if variant.startswith(",") else f" {variant}"


def linkedin(slug: str, style: int) -> str:
    """A profile address in one of the forms that vendors deliver."""
    return (
        f"http://www.linkedin.com/in/{slug}",
        f"https://www.linkedin.com/in/{slug}",
        f"https://www.linkedin.com/in/{slug}/",
        f"linkedin.com/in/{slug}",
        f"https://uk.linkedin.com/in/{slug}",
        f"https://www.linkedin.com/in/{slug}?trk=public_profile",
    )[style]
