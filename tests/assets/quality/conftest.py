"""A real warehouse of a small demo, and a report made of it once; who changes it works on a copy."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from assets.quality import night
from transforms.engines.duckdb import DuckDBEngine

NIGHT = datetime(2026, 11, 2, 12, 30, tzinfo=UTC)  # some hours after the demo's run


def night_after(days: int) -> datetime:
    return NIGHT + timedelta(days=days)


@pytest.fixture(scope="session")
def reported(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The warehouse of the demo with the tables of one night; to be copied."""
    path = tmp_path_factory.mktemp("quality") / "warehouse.duckdb"
    shutil.copyfile(demo / "demo" / "inspect.duckdb", path)
    with duckdb.connect(str(path)) as connection:
        night.build(DuckDBEngine(connection), NIGHT)
    return path


@pytest.fixture
def opened(reported: Path, tmp_path: Path) -> Iterator[Callable[[], DuckDBEngine]]:
    """A function that gives a fresh copy, opened."""
    engines: list[duckdb.DuckDBPyConnection] = []

    def open_copy() -> DuckDBEngine:
        path = tmp_path / f"{len(engines)}.duckdb"
        shutil.copyfile(reported, path)
        engines.append(duckdb.connect(str(path)))
        return DuckDBEngine(engines[-1])

    yield open_copy
    for connection in engines:
        connection.close()


@pytest.fixture
def engine(opened: Callable[[], DuckDBEngine]) -> DuckDBEngine:
    """One copy."""
    return opened()
