"""The fixture that the tests of the service share: the application in memory, over the ledger of a small house."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from assets.publishing import keys, runs
from orchestration.service.app import build_app
from orchestration.service.settings import ServiceSettings
from tests.assets.publishing import ledgers
from tests.assets.publishing.publishing_house import House


@dataclass
class Desk:
    """One service; `client` has a key that may read the feed."""

    house: House
    app: FastAPI
    client: TestClient

    def key(self, *scopes: str, name: str = "somebody") -> dict[str, str]:
        """Headers with a new key."""
        made = keys.add(self.house.ledger, self.house.clock, name=name, scopes=scopes)
        return {"Authorization": f"Bearer {made}"}

    def ran(self, state: str = "done") -> None:
        """A run that ended now."""
        runs.begin(self.house.ledger, self.house.clock, run_id="run", kind="full_sync")
        runs.end(self.house.ledger, self.house.clock, run_id="run", state=state, summary={})

    def anonymous(self) -> TestClient:
        return TestClient(self.app, raise_server_exceptions=False)


@pytest.fixture(autouse=True)
def on_sqlite() -> Iterator[None]:
    """The short way of a page is SQLite's alone; whichever store the tests before these were on."""
    with ledgers.tested_on(ledgers.SQLITE):
        yield


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    house = House(tmp_path / "house")
    app = build_app(house.ledger, house.clock, ServiceSettings())
    with TestClient(app, raise_server_exceptions=False) as client:
        desk = Desk(house, app, client)
        client.headers.update(desk.key("feed:read", name="poller"))
        yield desk
    house.ledger.close()
