"""The fixtures that the tests of publishing share; the house itself is in publishing_house.py."""

from __future__ import annotations

from pathlib import Path

import pytest
from publishing_house import House

from tests.assets.publishing.ledgers import pytest_generate_tests, store

__all__ = ["pytest_generate_tests", "store"]


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)
