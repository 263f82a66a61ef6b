"""Promises of `halosync serve`: loopback by default, no open door without a key."""

from __future__ import annotations

import pytest

from assets.publishing import keys
from assets.publishing.ledger import Ledger
from orchestration import serve
from orchestration.exits import Exit, Stop
from sources.clock import VirtualClock


@pytest.fixture
def ledger(tmp_path):
    ledger = Ledger.open(tmp_path / "ledger.sqlite")
    yield ledger
    ledger.close()


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.7", "::", "feed.example.test"])
def test_an_address_beyond_loopback_is_refused_until_somebody_has_a_key(ledger, host):
    """S15."""
    with pytest.raises(Stop, match="nobody has a key yet") as stop:
        serve.refuse_open_door(host, ledger)
    made = keys.add(ledger, VirtualClock(), name="poller", scopes=["feed:read"])
    serve.refuse_open_door(host, ledger)
    keys.revoke(ledger, VirtualClock(), made.split("_")[1])

    assert stop.value.code == Exit.USAGE
    with pytest.raises(Stop):
        serve.refuse_open_door(host, ledger)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.0.0.53"])
def test_loopback_needs_no_key_to_exist(ledger, host):
    """S15."""
    serve.refuse_open_door(host, ledger)
