"""What each vendor cost, by day and for each verified contact, and what today's budget has left.

Belongs here: flags, the screen, the figures per verified contact. Does not: the ledger's rows
(`assets/publishing/credits.py`), budgets (`settings.py`).
Surprise: a verified contact counts for the vendor that its address came from, as `golden.provenance` says; without a
run there is none to count. Nothing is written, and no vendor is asked.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import duckdb
from assets.publishing import credits
from assets.publishing.ledger import Ledger, LedgerBusy, LedgerError
from assets.publishing.stores import is_postgresql, sqlite_path
from rich.console import Console
from rich.table import Table

from orchestration import settings as settings_module
from orchestration.exits import Exit, Stop
from orchestration.resources import clock_of_environment
from orchestration.settings import VENDORS, Settings, SettingsError

SCHEMA_VERSION = 1
DAYS_SHOWN = 14
_VERIFIED = """
    select split_part(provenance.record_key, ':', 1) as source, count(*)
    from golden.contact as contact
    inner join golden.provenance as provenance
        on contact.golden_id = provenance.golden_id and provenance.field = 'email'
    where contact.email_status = 'verified'
    group by source
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")


def run(arguments: argparse.Namespace) -> Exit:
    try:
        settings = settings_module.load()
        found = figures(settings)
    except SettingsError as error:
        raise Stop(str(error), Exit.USAGE) from error
    except LedgerBusy as error:
        raise Stop(str(error), Exit.BUSY) from error
    except LedgerError as error:
        raise Stop(str(error), Exit.USAGE) from error
    if arguments.json:
        print(json.dumps(found))
    else:
        show(found, Console(file=sys.stdout))
    return Exit.DONE


def figures(settings: Settings) -> dict[str, Any]:
    """The object for `--json`."""
    days, today = _of_ledger(settings)
    verified = verified_by_source(settings.inspection_copy)
    vendors = {}
    for vendor in VENDORS:
        mine = [day for day in days if day.source == vendor]
        spent, lost = sum(day.spent for day in mine), sum(day.lost for day in mine)
        count, budget = verified.get(vendor, 0), getattr(settings.sources, vendor).credits_a_day
        spent_today = today.get(vendor, 0.0)
        vendors[vendor] = {
            "spent": spent,
            "in_doubt": sum(day.in_doubt for day in mine),
            "lost": lost,
            "records": sum(day.records for day in mine),
            "verified_contacts": count,
            "per_verified_contact": round(spent / count, 3) if count else None,
            "budget_a_day": budget,
            "spent_today": spent_today,
            "left_today": None if budget is None else max(budget - spent_today, 0.0),
        }
    told = [asdict(day) | {"day": day.day.isoformat()} for day in days]
    return {"schema_version": SCHEMA_VERSION, "vendors": vendors, "days": told}


def verified_by_source(inspection_copy: Path) -> dict[str, int]:
    """Golden contacts with a verified address, by the source of that address; none before the first run."""
    if not inspection_copy.exists():
        return {}
    with duckdb.connect(str(inspection_copy), read_only=True) as connection:
        tables = connection.execute("select table_name from duckdb_tables() where schema_name = 'golden'").fetchall()
        is_made = {("contact",), ("provenance",)} <= set(tables)
        return dict(connection.execute(_VERIFIED).fetchall()) if is_made else {}


def show(found: dict[str, Any], console: Console) -> None:
    """Vendors, then the last days."""
    table = Table(title="Credits", title_justify="left", show_edge=False)
    for name in ("vendor", "spent", "in doubt", "lost", "verified contacts", "each", "today", "left today"):
        table.add_column(name, justify="left" if name == "vendor" else "right")
    for vendor, told in found["vendors"].items():
        each, left = told["per_verified_contact"], told["left_today"]
        table.add_row(
            vendor,
            *(f"{told[name]:,.0f}" for name in ("spent", "in_doubt", "lost", "verified_contacts")),
            "-" if each is None else f"{each:.2f}",
            f"{told['spent_today']:,.0f}",
            "no limit" if left is None else f"{left:,.0f} of {told['budget_a_day']:,.0f}",
        )
    console.print(table)
    days = Table(title=f"Last {DAYS_SHOWN} days with calls (UTC)", title_justify="left", show_edge=False)
    for name in ("day", "vendor", "calls", "records", "credits", "in doubt"):
        days.add_column(name, justify="left" if name in ("day", "vendor") else "right")
    shown = sorted({day["day"] for day in found["days"]}, reverse=True)[:DAYS_SHOWN]
    for day in found["days"]:
        if day["day"] in shown:
            numbers = (day["calls"], day["records"], day["spent"], day["in_doubt"])
            days.add_row(day["day"], day["source"], *(f"{number:,.0f}" for number in numbers))
    if found["days"]:
        console.print(days)


def _of_ledger(settings: Settings) -> tuple[list[credits.Day], dict[str, float]]:
    """By source and day, and of today; nothing is made where there is no ledger yet."""
    if not is_postgresql(settings.ledger) and not sqlite_path(settings.ledger).exists():
        return [], {}
    ledger = Ledger.open(settings.ledger, settings.data_root)
    try:
        return credits.days(ledger), credits.spent_today(ledger, clock_of_environment())
    finally:
        ledger.close()
