"""Promises of the `ops` mirror: analysts find every table of the ledger that is theirs to see, and no value or secret."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import duckdb
import pytest

from assets import ops
from assets.publishing import applying, tables
from assets.publishing.ledger import Ledger
from assets.publishing.rules import demo_rules
from assets.runtime import Runtime
from sources.clock import VirtualClock
from sources.halopsa.client import HaloClient
from sources.halopsa.simulator import HaloSimulator
from sources.simulation import InMemoryAdapter

PERSONAL = {"fields", "base", "published", "body", "message", "detail", "content", "wire", "email", "name"}


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger.open(tmp_path / "ledger.sqlite")


def mirrored(ledger: Ledger, name: str) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Columns and rows of `ops.<name>`."""
    with duckdb.connect() as connection:
        ops.mirror_table(cast(Runtime, SimpleNamespace(ledger=ledger)), connection, name)
        answer = connection.execute(f"select * from ops.{name}")
        return [column[0] for column in answer.description or ()], answer.fetchall()


def test_every_table_of_the_ledger_is_mirrored_or_has_a_reason_why_not():
    mirrored_names = {table.name for table in ops.MIRRORED.values()}

    assert mirrored_names | ops.UNMIRRORED.keys() == tables.metadata.tables.keys()
    assert not mirrored_names & ops.UNMIRRORED.keys()


@pytest.mark.parametrize("name", ops.MIRRORED)
def test_each_mirror_has_a_comment_per_column_and_none_for_values_of_people(ledger, name):
    columns, rows = mirrored(ledger, name)

    assert rows == []
    assert set(columns) <= ops.COLUMNS.keys()
    assert not set(columns) & PERSONAL


def test_a_plan_is_mirrored_with_its_counts_and_without_its_secret(ledger):
    clock = VirtualClock()
    simulator = HaloSimulator(None, clock)
    halo = HaloClient(
        "http://halo.test", "acme", simulator.modes.client_id, simulator.modes.client_secret, clock,
        adapter=InMemoryAdapter(simulator),
    )  # fmt: skip
    plan = applying.make_plan(ledger, clock, halo, demo_rules())

    columns, (row,) = mirrored(ledger, "plan")

    told = dict(zip(columns, row, strict=True))
    assert (told["plan_id"], told["state"]) == (plan["plan_id"], "made")
    assert '"records"' in told["counts"]
    assert "secret" not in told["counts"]
