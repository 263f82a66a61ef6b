"""The fixture that the tests of faults share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.assets.publishing.publishing_house import House


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path / "house")
