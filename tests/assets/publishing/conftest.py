"""The fixtures that the tests of publishing share; the house itself is in publishing_house.py."""

from __future__ import annotations

from pathlib import Path

import pytest
from publishing_house import House

from tests.assets.publishing.ledgers import store

__all__ = ["store"]


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)
