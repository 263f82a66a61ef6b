"""A ledger of many golden records, made by the commit's own code, for `bench feed`.

Belongs here: the invented records, and keeping the ledger for the next call. Does not: what is measured on it.
"""

from __future__ import annotations

import shutil
import sys
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
from assets.publishing.commit import commit
from assets.publishing.ledger import Ledger
from sources.clock import WallClock
from transforms.contracts import GOLDEN_CONTACT, GOLDEN_ORGANISATION

CONTACTS_PER_ORGANISATION = 9
COMMIT_ROWS = 100_000


def filled(folder: Path, entities: int) -> Path:
    """The ledger of so many golden records below `folder`."""
    path = folder / f"{entities}" / "ledger.sqlite"
    done = path.with_name("done")
    if done.exists():
        return path
    shutil.rmtree(path.parent, ignore_errors=True)
    began_s = time.monotonic()
    ledger, clock = Ledger.open(path), WallClock()
    organisations = entities // (CONTACTS_PER_ORGANISATION + 1)
    for start in range(0, entities, COMMIT_ROWS):
        numbers = range(start, min(start + COMMIT_ROWS, entities))
        rows: dict[str, list[dict[str, Any]]] = {
            "organisation": [_organisation(number) for number in numbers if number < organisations],
            "contact": [_contact(number, organisations) for number in numbers if number >= organisations],
        }
        changes = {entity: _changes(entity, found) for entity, found in rows.items() if found}
        commit(ledger, clock, run_id=f"bench-{start}", changes=changes)
        took_s = time.monotonic() - began_s
        print(f"{numbers.stop:,} of {entities:,} golden records committed, {took_s:.0f} s", file=sys.stderr)
    ledger.close()
    done.touch()
    return path


def _organisation(number: int) -> dict[str, Any]:
    name = f"Company {number}"
    place = {"street": "1 High Street", "city": "Leeds", "postcode": "LS1 1AA", "country": "GB"}
    return {"golden_id": f"org_{number:08}", "name": name, "domain": f"company{number}.test", **place}


def _contact(number: int, organisations: int) -> dict[str, Any]:
    return {
        "golden_id": f"con_{number:08}",
        "first_name": "Ann",
        "last_name": f"Lee {number}",
        "email": f"ann{number}@company.test",
        "email_status": "verified",
        "job_title": "Service Desk Manager",
        "organisation_golden_id": f"org_{number % organisations:08}",
    }


def _changes(entity: str, rows: list[dict[str, Any]]) -> pa.Table:
    contract = GOLDEN_ORGANISATION if entity == "organisation" else GOLDEN_CONTACT
    names = [*contract.column_names, "change_kind"]
    fixed = {"sources": "apollo,zoominfo", "change_kind": "created", "content_hash": "1"}
    return pa.table({name: [row.get(name, fixed.get(name)) for row in rows] for name in names})
