"""Promises of the place where settings become objects."""

from __future__ import annotations

import sqlalchemy as sa

from assets.publishing.ledger import Ledger
from assets.publishing.tables import call
from orchestration import settings as settings_module
from orchestration.resources import build_runtime
from orchestration.settings import HaloSettings, Sources
from sources.clock import VirtualClock


def test_two_runtimes_of_one_data_folder_share_halopsas_rate_window(tmp_path):
    halo = HaloSettings(base_url="http://127.0.0.1:9", tenant="acme", client_id="id", client_secret="secret")
    settings = settings_module.load(env_file=None).model_copy(
        update={"data": tmp_path, "ledger_url": None, "sources": Sources(halopsa=halo)}
    )
    clock = VirtualClock()
    first, second = (build_runtime(settings, clock=clock).halo for _ in range(2))
    assert not list(tmp_path.iterdir())  # making a client touches no disk

    for _ in range(halo.calls_per_window):
        first.session.http.limiter.acquire()
    began_s = clock.time()
    second.session.http.limiter.acquire()

    assert 299 < clock.time() - began_s < 302
    ledger = Ledger.open(settings.ledger, settings.data_root)
    with ledger.read() as connection:
        assert connection.scalar(sa.select(sa.func.count()).where(call.c.api == "halopsa")) <= halo.calls_per_window + 1
    ledger.close()
