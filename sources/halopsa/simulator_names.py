"""The names that the simulated HaloPSA knows: fields that are kept, flags without effect, parameters of lists.

Belongs here: names. Does not: what happens to them (`simulator_records.py`, `simulator_lists.py`).
Surprise: these are Halo's names, from its public OpenAPI file, and on purpose not made from `fields.py`: a name that we
got wrong must be ignored here as it would be there, and show up in the count of ignored names.
"""

from __future__ import annotations

from collections.abc import Mapping


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _ordered(text: str) -> tuple[str, ...]:
    return tuple(text.split())


RESOURCES = ("Client", "Site", "Users")
LIST_KEY = {"Client": "clients", "Site": "sites", "Users": "users"}
STAMP = {"Client": "alastupdate", "Site": "slastupdate", "Users": "ulastupdate"}
AUDIT_TABLE = {"Client": "AREA", "Site": "SITE", "Users": "USERS"}
AGENTS = {1: "Halosync API", 7: "Pat Agent"}
API_AGENT, PERSON = AGENTS
UNSET_DATE = "1900-01-01T00:00:00"
TOPLEVELS = {1: "Customers", 2: "Partners"}

# Fields that are kept when they are posted; every other name is ignored and counted.
FIELDS: Mapping[str, frozenset[str]] = {
    "Client": _names(
        """name toplevel_id website domain inactive ref accountsid accountsemailaddress is_account customertype
        customer_relationship notes isinternal"""
    ),
    "Site": _names(
        """name client_id phonenumber accountsemailaddress emaildomain ref inactive delivery_address invoice_address
        notes"""
    ),
    "Users": _names(
        """name site_id firstname surname initials emailaddress email2 email3 phonenumber mobilenumber mobilenumber2
        homenumber fax title department other1 other2 other3 other4 other5 notes inactive isserviceaccount is_prospect
        prospect_account_id neversendemails"""
    ),
}
# Known to Halo and without effect on what is kept.
FLAGS = _names("id customfields _dont_fire_automations sendwelcomeemail dontaddtomailinglist")
CREATE_ONLY: Mapping[str, frozenset[str]] = {
    "Client": _names("newclient_sitename newclient_phonenumber"),
    "Site": frozenset(),
    "Users": _names("client_id"),
}
PARENT = {"Client": "toplevel_id", "Site": "client_id", "Users": "site_id"}
ADDRESS_KEYS = ("line1", "line2", "line3", "line4", "postcode")
ID_FIELDS = _names("id site_id client_id toplevel_id")
LENGTH_MAX = {"name": 255, "firstname": 200, "surname": 200, "website": 250, "domain": 250}

# What a screen calls a field, where its name does not say so by itself.
LABELS = {
    "title": "Job Title",
    "phonenumber": "Phone Number",
    "mobilenumber": "Mobile Number",
    "emailaddress": "Email Address",
    "firstname": "First Name",
}

# Lists are thinner than details.
THIN: Mapping[str, tuple[str, ...]] = {
    "Client": _ordered("name toplevel_id ref accountsid customertype"),
    "Site": _ordered("name phonenumber ref"),
    "Users": _ordered(
        """name firstname surname initials title emailaddress email2 email3 phonenumber mobilenumber homenumber fax
        department"""
    ),
}
BOOLEANS: Mapping[str, frozenset[str]] = {
    "Client": _names("inactive is_account"),
    "Site": _names("inactive"),
    "Users": _names("inactive isserviceaccount is_prospect"),
}
SEARCHED: Mapping[str, frozenset[str]] = {
    "Client": _names("name ref accountsid"),
    "Site": _names("name"),
    "Users": _names("name firstname surname emailaddress email2 email3"),
}
SEARCHED_ADVANCED = _names("name firstname surname emailaddress client_id site_id")
PARAMETERS = _names(
    """pageinate page_no page_size count search search_name_only search_phonenumbers order orderdesc order2 orderdesc2
    includeactive includeinactive activeinactive idonly advanced_search include_custom_fields include_website
    includeaddress includenotes includedetails lastupdatefromdate lastupdatetodate toplevel_id client_id site_id domain
    exclude_internal integration_type exclude_generaluser exclude_agents includeserviceaccount
    includenonserviceaccount"""
)
