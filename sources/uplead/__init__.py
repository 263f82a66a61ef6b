"""UpLead: people and companies out of billed searches, compared by content.

    prospector-pro-search (all; company nested)   -> archive -> raw_uplead.contact, raw_uplead.organisation
    prospector-search + company-search (a domain) -> archive -> raw_uplead.contact, raw_uplead.organisation

Vendor's pages: https://docs.uplead.com (endpoints, credits, limits; the key is in the account's API settings).
Credits: 1 for each contact returned whose e-mail is valid or accept_all, 1 for each company searched; a record returned
again is free. `count_only` and `/credits` are free and come before every paid walk. Limit: 500 calls a minute.
Belongs here: the source. Does not: the visit itself (`visit.py`), calls (`client.py`).
Surprise: one visit fills both entities; `organisation` only loads, and so must stand after `contact`.
"""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping, Sequence
from typing import Any

import dlt
from dlt.extract import DltResource

from sources.archive import Archive
from sources.intake import Meter
from sources.paid import archived, quarantine
from sources.uplead import settings
from sources.uplead.client import UpLeadClient
from sources.uplead.visit import Visit


@dlt.source(name=settings.SOURCE, max_table_nesting=0)
def uplead(
    client: UpLeadClient, archive: Archive, meter: Meter, domains: Sequence[str] | None = None
) -> Iterator[DltResource]:
    """Contacts, organisations and quarantine: of the whole account, or of some domains only."""

    def contacts(state: MutableMapping[str, Any]) -> None:
        Visit(client, archive, meter, state).run(domains)

    yield archived("contact", archive, meter, contacts, client.session)
    yield archived("organisation", archive, meter)
    yield quarantine(archive, meter, client.clock)
