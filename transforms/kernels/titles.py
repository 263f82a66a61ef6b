"""Job titles, seniority and departments: one wording for what vendors abbreviate each in their own way.

Belongs here: abbreviations, the one vocabulary of seniority. Does not: how like two titles are (comparison).
Surprise: of, the, and, for are dropped, so "VP Sales" and "Vice President of Sales" fold to the same.
"""

from __future__ import annotations

from functools import lru_cache

from transforms.kernels.fold import clean, fold, join_initials

_ABBREVIATIONS = {
    "acct": "account", "adm": "administrator", "admin": "administrator", "apac": "asia pacific",
    "asst": "assistant", "assoc": "associate", "avp": "assistant vice president", "bd": "business development",
    "biz": "business", "bus": "business", "caio": "chief ai officer", "cco": "chief commercial officer",
    "cdo": "chief data officer", "ceo": "chief executive officer", "cfo": "chief financial officer",
    "chro": "chief human resources officer", "cio": "chief information officer",
    "ciso": "chief information security officer", "cmo": "chief marketing officer",
    "coo": "chief operating officer", "coord": "coordinator", "cpo": "chief product officer",
    "cro": "chief revenue officer", "cso": "chief security officer", "cto": "chief technology officer",
    "dept": "department", "dev": "developer", "dir": "director", "div": "division",
    "emea": "europe middle east africa", "eng": "engineer", "engr": "engineer", "evp": "executive vice president",
    "exec": "executive", "fin": "finance", "gm": "general manager", "hr": "human resources",
    "info": "information", "infra": "infrastructure", "intl": "international", "it": "information technology",
    "jnr": "junior", "jr": "junior", "ld": "lead", "maint": "maintenance", "md": "managing director",
    "mfg": "manufacturing", "mgmt": "management", "mgr": "manager", "mktg": "marketing", "natl": "national",
    "ofc": "officer", "op": "operations", "ops": "operations", "pa": "personal assistant",
    "pm": "project manager", "pres": "president", "prof": "professor", "proj": "project",
    "qa": "quality assurance", "rd": "research development", "rep": "representative", "sec": "security",
    "snr": "senior", "spec": "specialist", "sr": "senior", "supv": "supervisor", "svc": "service",
    "svcs": "services", "svp": "senior vice president", "sys": "systems", "sysadmin": "systems administrator",
    "tech": "technology", "vp": "vice president",
}  # fmt: skip
_DROPPED = frozenset({"of", "the", "and", "for"})

_SENIORITIES = {
    "owner": "owner", "founder": "owner", "co founder": "owner", "cofounder": "owner", "partner": "owner",
    "c suite": "c_suite", "csuite": "c_suite", "c level": "c_suite", "c": "c_suite", "cx": "c_suite",
    "cxo": "c_suite", "c level exec": "c_suite", "board member": "c_suite", "board members": "c_suite",
    "executive": "c_suite", "vp": "vp", "vp level": "vp", "vice president": "vp", "vp level exec": "vp",
    "evp": "vp", "svp": "vp", "director": "director", "head": "director", "d": "director",
    "director level": "director", "manager": "manager", "m": "manager", "manager level": "manager",
    "senior": "senior", "entry": "entry", "intern": "entry", "junior": "entry", "training": "entry",
    "non manager": "entry", "staff": "entry", "individual contributor": "entry",
}  # fmt: skip


@lru_cache(maxsize=100_000)
def title_fold(text: str | None) -> str | None:
    """The job title folded, abbreviations expanded, filler dropped; None where nothing is left."""
    words = join_initials(fold(clean(text))).split()
    expanded = " ".join(_ABBREVIATIONS.get(word, word) for word in words if word not in _DROPPED)
    return expanded or None


@lru_cache(maxsize=10_000)
def seniority(text: str | None) -> str | None:
    """owner, c_suite, vp, director, manager, senior or entry; None where the source says something else or nothing.

    Of several ("Director,VP-Level", a list of ZoomInfo) the first counts: vendors put the leading one there.
    """
    cleaned = clean(text)
    for part in (cleaned or "").strip("[]").replace('"', "").split(","):
        if (known := _SENIORITIES.get(fold(part))) is not None:
            return known
    return None
