"""The fixtures that the tests of faults share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.assets.publishing.ledgers import store
from tests.assets.publishing.publishing_house import House

__all__ = ["store"]


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path / "house")
