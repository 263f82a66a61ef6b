"""What an account says of itself for nothing: key, scopes, plan, credits, and a few rows, masked.

Belongs here: which free calls tell what, and the remedy for each refusal. Does not: the calls themselves (each source's
`client.py`), flags and the screen (`orchestration/connect.py`).
Surprise: the right to buy is tested without buying: Apollo is asked to match nobody, ZoomInfo an id that nobody has (a
miss is free). UpLead bills each person it shows, but not those whose address is unknown or invalid, so the rows shown
are of these.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sources.http import BadRequest, Forbidden, Unauthorised, VendorError
from sources.masking import masked_email, masked_name, masked_phone

if TYPE_CHECKING:
    from sources.apollo.client import ApolloClient
    from sources.halopsa.client import HaloClient
    from sources.uplead.client import UpLeadClient
    from sources.zoominfo.client import ZoomInfoClient

ROWS_SHOWN = 5
_NOBODY = "0"  # no vendor numbers a record so
_FREE_STATUSES = ("unknown", "invalid")  # UpLead's addresses that cost nothing

WELL, SETTINGS, LATER = "well", "settings", "later"


@dataclass(frozen=True)
class Check:
    """One thing that was tried. `state` is well, settings (a person must mend the account or .env) or later (the
    settings are right, and still nothing can be had now)."""

    check: str
    found: str
    remedy: str = ""
    state: str = WELL


@dataclass
class Report:
    """What one account said; `rows` are masked."""

    vendor: str
    checks: list[Check] = field(default_factory=list)
    rows: list[dict[str, str]] = field(default_factory=list)

    @property
    def worst(self) -> Check | None:
        """The trouble to be told first; None where all is well."""
        troubles = [check for check in self.checks if check.state != WELL]
        return min(troubles, key=lambda check: (check.state == LATER, self.checks.index(check)), default=None)

    def note(self, check: str, found: str, remedy: str = "", state: str = WELL) -> None:
        self.checks.append(Check(check, found, remedy, state))


class _Stop(Exception):
    """Nothing further can be tried."""


def probe_apollo(client: ApolloClient, query: Mapping[str, Any]) -> Report:
    """Search (free), the balance, and the right to buy; at most three calls."""
    report = Report("apollo")
    with_keys = "Make a key with that route at Apollo: Settings > Integrations > API keys (or a master key)."
    # The rights before the balance: the balance's own route may be outside a key that is good enough.
    asked: tuple[tuple[str, str, Callable[[], Any]], ...] = (
        ("search", "mixed_people/api_search", lambda: client.people(query, page=1)),
        ("enrich", "people/bulk_match", lambda: _nobody_of_apollo(client)),
    )
    answers: dict[str, Any] = {}
    for check, route, call in asked:
        remedy = f"SOURCES__APOLLO__API_KEY may not use {route}. {with_keys}"
        plan = f"This plan does not include {route}. Without an API plan: drop Apollo's CSV files into data/exports."
        answers[check] = _tried(report, check, call, remedy=remedy, plan_remedy=plan)
        if answers[check] is None and report.worst is not None and report.worst.check in ("key", "reach"):
            return report
    page = answers["search"]
    if page is not None:
        report.note("query", f"{page.total:,} people meet SOURCES__APOLLO__QUERY" if query else "no query is set")
        report.rows = [_of_apollo(row) for row in page.rows[:ROWS_SHOWN] if isinstance(row, dict)]
    _note_balance(report, "apollo", lambda: client.credits_left(), "credits follow when the cycle renews")
    return report


def probe_zoominfo(client: ZoomInfoClient) -> Report:
    """The token, both searches, usage, and the right to enrich; enrich is asked for an id that nobody has."""
    from sources.zoominfo import settings
    from sources.zoominfo.client import is_out_of_credits

    report = Report("zoominfo")
    remedy = "Grant the app that scope in the DevPortal, and the product in the contract."
    page = None
    for routes in (settings.CONTACT, settings.COMPANY):
        query = routes.roots[-1]  # of contacts those that nobody has bought yet: of a new account all
        found = _tried(report, f"search {routes.folder}", lambda: client.search(routes, query), remedy=remedy)  # noqa: B023
        if found is None and report.worst is not None and report.worst.check in ("key", "reach"):
            return report
        page = page or found
    try:
        _tried(report, "enrich", lambda: client.enrich(settings.CONTACT, [_NOBODY]), remedy=remedy, lets=(BadRequest,))
    except BadRequest as error:
        if is_out_of_credits(error):
            report.note("credits", "none are left", "Add credits at ZoomInfo; searches go on without.", LATER)
        else:
            report.note("enrich", "allowed")
    used = client.credits_used()
    report.note("usage", "this app may not read it" if used is None else f"{used:,} records bought so far")
    report.rows = [_of_zoominfo(row) for row in page.rows[:ROWS_SHOWN] if isinstance(row, dict)] if page else []
    return report


def probe_uplead(client: UpLeadClient, domains: Sequence[str]) -> Report:
    """The balance, the count of what is watched, and people whose address is not billed."""
    from sources.uplead import settings

    report = Report("uplead")
    path, filters = (settings.DOMAIN_SEARCH_PATH, {"domain": domains[0]}) if domains else (settings.PRO_SEARCH_PATH, {})
    remedy = (
        "The account is paused or has no subscription; see UpLead > Account > Billing."
        if domains
        else "Only the Professional plan walks all people; with a smaller one set SOURCES__UPLEAD__DOMAINS."
    )
    balance = _tried(
        report, "key", client.credits, remedy="The account is paused or has no subscription; see UpLead > Account."
    )
    if balance is None:
        return report
    count = _tried(report, "search", lambda: client.count(path, filters), remedy=remedy)
    if report.worst is not None:
        return report
    report.note("count", f"{count or 0:,} people at {filters['domain']}" if filters else f"{count or 0:,} people")
    _note_balance(report, "uplead", lambda: balance, "add credits at UpLead")
    if balance > 0:
        report.rows = _free_rows_of_uplead(client, path, filters)
        after = client.credits()
        if after < balance:
            spent = balance - after
            report.note("price", f"{spent} credits went meanwhile", "Ask UpLead who else uses this account.", LATER)
    return report


def probe_halopsa(client: HaloClient) -> Report:
    """Sign-in, the three lists, the custom field of the golden id. HaloPSA knows no credits."""
    from sources.halopsa import settings

    report = Report("halopsa")
    if _tried(report, "key", lambda: _signed_in(client)) is None:
        return report
    remedy = "Give the API application's agent access to all customers, and the scopes read:customers edit:customers."
    first: dict[str, Any] = {}
    for resource in settings.RESOURCES:
        # One page only: to walk a large tenant would take its whole rate limit.
        first[resource] = _tried(
            report,
            f"read {resource}",
            lambda: next(iter(client.walk(resource)), []),  # noqa: B023
            remedy=remedy,
        )
    fields = None if report.worst else _tried(report, "custom fields", client.custom_field_ids, remedy=remedy)
    if fields is not None:
        lacking = [
            name for name in ("Client", "Users") if settings.GOLDEN_ID_FIELD.casefold() not in fields.get(name, {})
        ]
        if lacking:
            what = f"{settings.GOLDEN_ID_FIELD} is missing on {' and '.join(lacking)}"
            report.note("golden id", what, "Make it in HaloPSA as a text field; without it records are found by name.")
        else:
            report.note("golden id", f"the custom field {settings.GOLDEN_ID_FIELD} is there")
    report.rows = [_of_halopsa(row) for row in (first.get("Users") or [])[:ROWS_SHOWN] if isinstance(row, dict)]
    return report


def _tried(
    report: Report,
    check: str,
    call: Callable[[], Any],
    *,
    remedy: str = "",
    plan_remedy: str = "",
    lets: tuple[type[VendorError], ...] = (),
) -> Any:
    """The answer of one call, noted; None where it was refused or there was none. Errors in `lets` go on."""
    try:
        found = call()
    except lets:
        raise
    except Unauthorised as error:
        report.note("key", str(error), "Copy the key anew from the vendor's page into .env.", SETTINGS)
    except Forbidden as error:
        is_plan = "paid plan" in error.body.lower() or "your plan" in error.body.lower()
        report.note("plan" if is_plan else check, str(error), (is_plan and plan_remedy) or remedy, SETTINGS)
    except BadRequest as error:
        report.note(check, str(error), remedy or "See the settings of this source in .env.", SETTINGS)
    except VendorError as error:
        report.note("reach", str(error), "Try again when it answers.", LATER)
    else:
        report.note(check, "accepted" if check == "key" else "allowed")
        return found
    return None


def _signed_in(client: HaloClient) -> bool:
    client.session.check()
    return True


def _nobody_of_apollo(client: ApolloClient) -> bool:
    """Whether people may be bought, by buying nobody. Apollo may refuse an empty list, but not for want of a right."""
    try:
        client.match([])
    except BadRequest as error:
        if error.status not in (400, 422):
            raise
    return True


def _note_balance(report: Report, vendor: str, ask: Callable[[], float | None], when: str) -> None:
    try:
        left = ask()
    except Forbidden:
        report.note("credits", "this key may not read the balance")
        return
    except VendorError as error:
        report.note("credits", str(error), "Try again when it answers.", LATER)
        return
    if left is None:
        report.note("credits", "this key may not read the balance")
    elif left > 0:
        report.note("credits", f"{left:,.0f} left")
    else:
        report.note("credits", f"{vendor} has none left", f"Nothing can be bought now; {when}.", LATER)


def _free_rows_of_uplead(client: UpLeadClient, path: str, filters: Mapping[str, Any]) -> list[dict[str, str]]:
    rows: list[Any] = []
    for status in _FREE_STATUSES:
        rows += client.contacts(path, {**filters, "email_status": status}).rows
        if len(rows) >= ROWS_SHOWN:
            break
    return [_of_uplead(row) for row in rows[:ROWS_SHOWN] if isinstance(row, dict)]


def _of_apollo(row: Mapping[str, Any]) -> dict[str, str]:
    names = [row.get("first_name"), row.get("last_name_obfuscated")]
    return _row(row.get("id"), names, row.get("title"), _part(row, "organization").get("name"))


def _of_zoominfo(row: Mapping[str, Any]) -> dict[str, str]:
    told = _part(row, "attributes")
    names = [told.get("firstName"), told.get("lastName")] if "firstName" in told else [told.get("name")]
    return _row(row.get("id"), names, told.get("jobTitle"), _part(told, "company").get("name"))


def _of_uplead(row: Mapping[str, Any]) -> dict[str, str]:
    names, number = [row.get("first_name"), row.get("last_name")], row.get("phone_number")
    return _row(row.get("id"), names, row.get("title"), row.get("company_name"), row.get("email"), number)


def _of_halopsa(row: Mapping[str, Any]) -> dict[str, str]:
    number = row.get("phonenumber") or row.get("mobilenumber")
    return _row(
        row.get("id"), [row.get("name")], row.get("title"), row.get("client_name"), row.get("emailaddress"), number
    )


def _row(
    row_id: Any, names: Iterable[Any], title: Any, organisation: Any, email: Any = None, phone: Any = None
) -> dict[str, str]:
    """One row as it may be shown: the vendor's id and the job title are no secrets, all else is masked."""
    return {
        "id": str(row_id or "")[:64],
        "name": masked_name(" ".join(str(name) for name in names if name)),
        "title": str(title or "")[:60],
        "organisation": masked_name(organisation),
        "email": masked_email(email),
        "phone": masked_phone(phone),
    }


def _part(row: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = row.get(name)
    return value if isinstance(value, Mapping) else {}
