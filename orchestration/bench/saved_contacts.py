"""Many saved Apollo contacts: a simulated account that has them, our source and plain dlt reading the same pages.

Belongs here: the made-up people, the account's server, one reader a process. Does not: measuring and receipts
(sources.py), how saved contacts are read (`sources/apollo/saved.py`).
Surprise: both readers meet the same server in the same run, one after the other, so that a busy machine is busy for
both. The account's cap is lifted by a switch, as Apollo lifts it for nobody.

    python -m orchestration.bench.saved_contacts serve COUNT CAP
    python -m orchestration.bench.saved_contacts ours|plain URL FOLDER [ROWS]
"""

from __future__ import annotations

import json
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

BORN = datetime(2026, 1, 1, tzinfo=UTC)
EMPLOYERS = 1_000
KEY = "apollo-good"
LIFTED = 1_000_000_000  # rows a search shows where its cap is lifted


class Crowd:
    """A world of `count` people, made by rule and each different; every tenth has an employer of whom more is known."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.rounds: list[Any] = []

    def contacts(self, source: str) -> Any:
        import pandas as pd

        numbers = range(self.count)
        firsts, lasts = ("Orla", "Jan", "Mary", "Ines", "Tom"), ("Kennedy", "Novak", "Smith", "Costa", "Berg")
        domains = [f"crowd{number % EMPLOYERS}.example" for number in numbers]
        return pd.DataFrame(
            {
                "id": [f"65f0a1b2c3d4e5f6{number:08x}" for number in numbers],
                "organisation_id": [f"54a1{n % EMPLOYERS:020x}" if n % 10 == 0 else None for n in numbers],
                "first_name": [firsts[number % 5] for number in numbers],
                "last_name": [f"{lasts[number % 5]}{number}" for number in numbers],
                "email": [f"p{number}@{domain}" for number, domain in enumerate(domains)],
                "phone": [f"020 7946 0{number % 1_000:03d}" for number in numbers],
                "job_title": [f"Manager {number % 97}" for number in numbers],
                "organisation_domain": domains,
                "organisation_name": [f"Crowd {number % EMPLOYERS} Ltd" for number in numbers],
                "linkedin_url": [f"linkedin.com/in/p{number}" for number in numbers],
                "updated_at": [BORN + timedelta(seconds=number) for number in numbers],
            }
            | dict.fromkeys(("middle_name", "name_suffix", "mobile", "phone_ext", "street", "postcode", "state"))
            | {"email_status": "verified", "seniority": "manager", "department": "sales", "country": "United Kingdom"}
            | {"city": "London", "phone_do_not_call": False, "mobile_do_not_call": False, "organisation_phone": None}
        )

    def organisations(self, source: str) -> Any:
        import pandas as pd

        numbers = range(EMPLOYERS)
        return pd.DataFrame(
            {
                "id": [f"54a1{number:020x}" for number in numbers],
                "name": [f"Crowd {number} Ltd" for number in numbers],
                "domain": [f"crowd{number}.example" for number in numbers],
                "employees": [number % 300 + 1 for number in numbers],
                "updated_at": [BORN] * EMPLOYERS,
            }
            | dict.fromkeys(("website", "email", "street", "state", "postcode", "linkedin_url", "description"))
            | dict.fromkeys(("revenue_usd", "parent_id"))
            | {"phone": "020 7946 0011", "city": "London", "country": "United Kingdom", "industry": "Construction"}
            | {"founded_year": 1999}
        )


def serve(count: int, rows_max: int) -> None:
    """Serve the account until stdin ends; prints its address."""
    from sources.apollo.account import Key
    from sources.apollo.simulator import ApolloSimulator
    from sources.clock import VirtualClock
    from sources.simulation import serve as served

    account = ApolloSimulator(
        Crowd(count), VirtualClock(), keys={KEY: Key(plan="unlimited")}, saved_share=1.0, saved_rows_max=rows_max
    )
    with served(account) as url:
        print(url, flush=True)
        threading.Thread(target=sys.stdin.read).run()


def ours(url: str, folder: Path, rows_max: int | None) -> dict[str, Any]:
    """Read them as a run does; the meter's counts and what it says."""
    from sources.apollo import apollo
    from sources.apollo.client import ApolloClient
    from sources.archive import Archive
    from sources.clock import VirtualClock
    from sources.intake import Meter
    from sources.load import load

    meter = Meter("apollo")
    source = apollo(
        ApolloClient(url, KEY, VirtualClock()), Archive(folder / "archive"), meter,
        is_buying=False, has_saved=True, saved_rows_max=rows_max,
    )  # fmt: skip
    load(source, name="apollo", warehouse=folder / "ours.duckdb", state=folder / "state")
    return {"fetched": dict(meter.fetched), "problems": meter.problems}


def plain(url: str, folder: Path, rows: int) -> dict[str, Any]:
    """What dlt's own REST source makes of the same pages."""
    import dlt
    import sources.load  # noqa: F401  (telemetry off, one extraction worker: as for ours)
    from dlt.sources.rest_api import rest_api_source

    source = rest_api_source(
        {
            "client": {"base_url": f"{url}/api/v1/", "headers": {"x-api-key": KEY}},
            "resources": [
                {
                    "name": "contact",
                    "primary_key": "id",
                    "write_disposition": "merge",
                    "endpoint": {
                        "path": "contacts/search",
                        "method": "POST",
                        "json": {"page": 1, "per_page": 100, "sort_by_field": "contact_updated_at"},
                        "data_selector": "contacts",
                        "paginator": {
                            "type": "page_number",
                            "base_page": 1,
                            "page_body_path": "page",
                            "total_path": "pagination.total_pages",
                            "maximum_page": -(-rows // 100),
                        },
                    },
                }
            ],
        },
        max_table_nesting=0,
    )
    pipeline = dlt.pipeline(
        "plain", destination=dlt.destinations.duckdb(str(folder / "plain.duckdb")), dataset_name="raw_plain",
        pipelines_dir=str(folder / "plain_state"),
    )  # fmt: skip
    pipeline.run(source)
    return {}


def main(words: list[str]) -> None:
    if words[0] == "serve":
        serve(int(words[1]), int(words[2]))
        return
    url, folder = words[1], Path(words[2])
    folder.mkdir(parents=True, exist_ok=True)
    rows = int(words[3]) if words[3:] else None
    said = plain(url, folder, rows or LIFTED) if words[0] == "plain" else ours(url, folder, rows)
    print(json.dumps(said))


if __name__ == "__main__":
    main(sys.argv[1:])
