"""The ledger of a folder, on whichever database the test runs on: the same tests hold for SQLite and PostgreSQL.

Belongs here: which store is being tested, and opening a ledger on it. Does not: the server (postgresql_server.py).
Surprise: a path names the ledger on both, so that opening it again is what a new process does. Where PostgreSQL is not
installed its half is skipped, loudly. HALOSYNC_STORES="sqlite postgresql" plays every test on both, one word one alone.
"""

from __future__ import annotations

import atexit
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

import pytest

from assets.publishing.ledger import Ledger
from tests.assets.publishing import postgresql_server

SQLITE, POSTGRESQL = "sqlite", "postgresql"
STORES = os.environ.get("HALOSYNC_STORES", "").split()
# Without that setting these alone are played on both: they state what the stores must give. All would take a minute more.
ON_BOTH = ("test_stores", "test_commit", "test_chain", "test_calls", "test_feed")
_tested = [SQLITE]  # the innermost is the store of the test that runs


def place_of(folder: Path) -> str:
    """What `Ledger.open` takes for the ledger of `folder`; there is an empty one at first."""
    path = folder / "ledger.sqlite"
    if _tested[-1] == POSTGRESQL:
        return _server().url_of(path)
    if not path.exists():
        path.write_bytes(_empty_file())
    return str(path)


def opened(folder: Path, *, busy_timeout_s: float = 20.0) -> Ledger:
    """As a new process opens it."""
    return Ledger.open(place_of(folder), folder, busy_timeout_s=busy_timeout_s)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Each test on both stores; on SQLite alone where it is marked `one_store`."""
    if "store" in metafunc.fixturenames:
        is_about_one = metafunc.definition.get_closest_marker("one_store") is not None
        is_on_both = metafunc.module.__name__.rpartition(".")[2] in ON_BOTH
        wanted = STORES or ([SQLITE, POSTGRESQL] if is_on_both else [SQLITE])
        stores = [one for one in wanted if one == SQLITE or not is_about_one]
        metafunc.parametrize("store", stores, indirect=True, scope="module")


@pytest.fixture(autouse=True, scope="module")
def store(request: pytest.FixtureRequest) -> Iterator[str]:
    """The database that this test's ledgers are on."""
    with tested_on(request.param):
        yield request.param


@contextmanager
def tested_on(store: str) -> Iterator[None]:
    """Every ledger made inside is on `store`."""
    if store == POSTGRESQL and (why := postgresql_server.missing()):
        pytest.skip(why)
    _tested.append(store)
    try:
        yield
    finally:
        _tested.pop()


@lru_cache
def _server() -> postgresql_server.Server:
    """One for all tests of this process; it stops with it."""
    server = postgresql_server.Server()
    atexit.register(server.stop)
    return server


@lru_cache
def _empty_file() -> bytes:
    """A migrated ledger, made once: migrating it for each of 200 tests would take longer than the tests."""
    with tempfile.TemporaryDirectory() as folder:
        Ledger.open(Path(folder) / "ledger.sqlite").close()
        return (Path(folder) / "ledger.sqlite").read_bytes()
