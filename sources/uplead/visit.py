"""One visit to UpLead: read all that is watched, keep what is new or altered.

Belongs here: count first, walk, compare hashes, archive, credits. Does not: calls (`client.py`), loading (`paid.py`).
Surprise: watching and buying are one step here. Search is what is billed, no record has a date, and reading a record
again is free; so every visit reads everything, and only rows whose content moved enter the archive.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, MutableMapping
from typing import Any

from sources.archive import Archive, ArchiveRow
from sources.http import Forbidden
from sources.intake import Meter, Poison, content_hash, screen
from sources.paid import Till
from sources.uplead import settings
from sources.uplead.client import ContactPage, UpLeadClient
from sources.volume import hold_unlikely


class OutOfCredits(Exception):
    """The balance is zero: stop, keep what came."""


class Visit:
    """One round over contacts and the companies that come with them."""

    def __init__(self, client: UpLeadClient, archive: Archive, meter: Meter, state: MutableMapping[str, Any]) -> None:
        self._client, self._meter, self._state = client, meter, state
        # Companies first, so that no contact is kept without its own.
        self._till = Till(archive, meter, "organisation", "contact", rows_max=settings.ARCHIVE_ROWS)
        self._seen: dict[str, set[str]] = {"contact": set(), "organisation": set()}
        self._poison_seen: set[tuple[str, str]] = set()
        self._balance = 0
        self._unexplained = 0  # credits charged for which no row has been found yet

    def run(self, domains: Iterable[str] | None) -> None:
        """Read everybody, or only the people and companies of some domains."""
        try:
            self._balance = self._client.credits()
            self._check_balance()
            if domains is None:
                self._walk(settings.PRO_SEARCH_PATH, {}, "everybody")
            else:
                for domain in dict.fromkeys(domains):
                    self._walk(settings.DOMAIN_SEARCH_PATH, {"domain": domain}, domain)
                    self._company_of(domain)
        except OutOfCredits:
            self._meter.problem(
                "uplead: the account is out of credits. What was bought is loaded, nothing is taken for deleted; "
                "the next run goes on once credits are added."
            )
        finally:
            self._till.keep()  # whatever stopped us: what was paid for is kept
            for entity, seen in self._seen.items():
                self._meter.fetched[entity] += len(seen)
        self._check_bill()

    def _walk(self, path: str, filters: Mapping[str, Any], what: str) -> None:
        announced = self._client.count(path, filters)
        of, usual = f"contacts of {what}", dict(self._state.get("volumes", {}))
        if announced is not None:
            hold_unlikely(self._state, announced, of=of, source=settings.SOURCE, clock=self._client.clock)
        if path == settings.PRO_SEARCH_PATH:
            self._compare_with_balance(announced)
        before = len(self._seen["contact"])
        poison_before = len(self._poison_seen)
        number: int | None = 1
        while number is not None and number <= settings.PAGES_MAX:
            page = self._page(path, filters, number)
            announced = page.rows_total if announced is None else announced
            self._take_page(page)
            self._check_balance(has_more=page.next_number is not None or len(page.rows) < 1)
            number = page.next_number
        found = len(self._seen["contact"]) - before + len(self._poison_seen) - poison_before
        if found != announced:
            self._state["volumes"] = usual  # a count that was wrong is not what is usual
        if announced is not None and found - announced > announced * settings.GROWTH_SHARE:
            self._meter.problem(
                f"uplead: {announced} contacts of {what} were announced and {found} came. All of them are loaded; "
                "whether there are more nobody can tell, the next run looks again."
            )
        if announced is not None and found < announced:
            self._meter.missed["contact"] += announced - found
            self._meter.problem(
                f"uplead: {announced - found} of {announced} contacts of {what} were announced and not delivered. "
                "What came is loaded, nothing is taken for deleted; the next run asks again."
            )

    def _page(self, path: str, filters: Mapping[str, Any], number: int) -> ContactPage:
        try:
            return self._client.contacts(path, filters, number)
        except Forbidden as refusal:
            # What UpLead answers at zero is not published; 403 is also what a plan without this search says.
            if self._client.credits() <= 0:
                raise OutOfCredits from refusal
            raise

    def _take_page(self, page: ContactPage) -> None:
        self._note_balance(page.balance)
        good, poison = screen(page.rows, entity="contact", id_of=lambda row: row.get("id"))
        for row_id, row in good:
            # A row without a status counts as billed: the bill is checked, and the worse case must be expected.
            is_billed = row.get("email_status", "valid") in settings.BILLED_STATUSES
            self._take("contact", row_id, row, contact_stamp(row), is_billed=is_billed)
        nested = [row["company"] for _, row in good if isinstance(row.get("company"), dict)]
        self._take_companies(nested, is_billed=False)
        self._refuse(poison)

    def _company_of(self, domain: str) -> None:
        company, balance = self._client.company(domain)
        self._note_balance(balance)
        self._take_companies([company] if company else [], is_billed=True)
        self._check_balance()

    def _take_companies(self, companies: Iterable[dict[str, Any]], *, is_billed: bool) -> None:
        good, poison = screen(companies, entity="organisation", id_of=company_id)
        for row_id, row in good:
            self._take("organisation", row_id, row, content_hash(row), is_billed=is_billed)
        self._refuse(poison)

    def _take(self, entity: str, row_id: str, row: dict[str, Any], stamp: str, *, is_billed: bool) -> None:
        """Keep a row that moved. A known row may cost as well, when its address has become valid since."""
        self._seen[entity].add(row_id)
        if not self._till.holds(entity, row_id, stamp):
            credits = self._explain(is_billed=is_billed)
            self._till.take(entity, ArchiveRow(row_id, stamp, row, credits, self._client.clock.now()))

    def _refuse(self, poison: Iterable[Poison]) -> None:
        """Keep poison that moved. It comes after the good rows of its page: what they do not explain, it cost."""
        for row in poison:
            self._poison_seen.add((row.entity, row.id))
            stamp = content_hash(row.payload)
            if not self._till.holds(row.entity, row.id, stamp):
                self._till.refuse(row, stamp=stamp, credits=self._explain(), at=self._client.clock.now())

    def _explain(self, *, is_billed: bool = True) -> float:
        """What a row that moved cost: a credit of the balance, as long as one went without explanation."""
        credits = 1 if is_billed and self._unexplained > 0 else 0
        self._unexplained -= credits
        return float(credits)

    def _note_balance(self, balance: int | None) -> None:
        if balance is not None:
            charged = max(self._balance - balance, 0)
            self._meter.credits += charged
            self._unexplained += charged
            self._balance = balance

    def _check_balance(self, *, has_more: bool = True) -> None:
        if has_more and self._balance <= 0:
            raise OutOfCredits

    def _compare_with_balance(self, announced: int | None) -> None:
        new_at_most = max((announced or 0) - self._till.count("contact"), 0)
        if new_at_most > self._balance:
            self._meter.problem(
                f"uplead: up to {new_at_most} contacts are new and {self._balance} credits are left; "
                "the walk stops where they end."
            )

    def _check_bill(self) -> None:
        if self._unexplained > 0:
            self._meter.problem(
                f"uplead: {self._meter.credits:.0f} credits were charged, {self._unexplained} of them for records that "
                "are not new. UpLead may have charged records again, or somebody else used the account meanwhile."
            )


def contact_stamp(row: Mapping[str, Any]) -> str:
    """The version of a contact: its own content and which company it is at, not what that company is like.

    Else a new phone at a company would put all its people into the archive again.
    """
    company = row.get("company")
    employer = company_id(company) if isinstance(company, dict) else None
    return content_hash({**row, "company": employer})


def company_id(company: Mapping[str, Any]) -> Any:
    """The company's id, else `domain:` and its domain."""
    if company.get("id") not in (None, ""):
        return company["id"]
    return f"domain:{company['domain']}" if company.get("domain") else None
