"""The fixtures and the two helpers that the tests of faults share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from assets.publishing import outbox
from assets.publishing.publisher import publish
from tests.assets.publishing.ledgers import pytest_generate_tests, store
from tests.assets.publishing.publishing_house import House

__all__ = ["pytest_generate_tests", "store"]


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path / "house")


def state(house: House, golden_id: str) -> tuple[str, str | None]:
    with house.ledger.read() as connection:
        return outbox.states(connection, [golden_id])[golden_id]


def in_the_middle(house: House, failpoint: str, act: Callable[[], object]) -> None:
    """Publish, and let `act` happen once, when `failpoint` is first reached."""
    once = [act]

    def reach(name: str) -> None:
        if name == failpoint and once:
            once.pop()()

    publish(house.ledger, house.clock, house.halo, run_id="middle", reach=reach)
