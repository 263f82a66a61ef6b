"""F26: SIGTERM in the middle of a write ends a verb within seconds, tidily, and loses nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import closing

import sqlalchemy as sa

from assets.publishing import commit as commits
from assets.publishing import mirror
from assets.publishing.ledger import Ledger
from assets.publishing.publisher import publish
from assets.publishing.tables import run
from orchestration.settings import PROJECT_ROOT
from sources.clock import WallClock
from sources.halopsa.client import HaloClient
from sources.halopsa.simulator import HaloSimulator
from sources.simulation import serve
from tests.assets.publishing.publishing_house import changes_between, organisation

RULES = "plan_first = false\n[audience]\nin_halo_only = false\n"
SECONDS_MAX = 30.0  # about one where nothing else runs; the machine of the tests may be busy


def test_a_verb_that_is_terminated_in_mid_write_ends_with_143_and_the_next_run_finds_the_write(tmp_path):
    clock = WallClock()
    tenant = HaloSimulator(None, clock)
    under_way, go_on = threading.Event(), threading.Event()
    apply = tenant.records._apply

    def slow(resource, fields, **by):
        under_way.set()
        assert go_on.wait(60)
        return apply(resource, fields, **by)

    tenant.records._apply = slow
    (tmp_path / "publishing.toml").write_text(RULES)
    (tmp_path / "scratch").mkdir()
    with serve(tenant) as url, closing(Ledger.open(tmp_path / "data" / "ledger.sqlite")) as ledger:
        acme = {"org_acme": organisation("org_acme", "Acme Ltd", domain="acme.test")}
        commits.commit(
            ledger, clock, run_id="first", changes={"organisation": changes_between({}, acme, "organisation")}
        )
        mirror.replace(ledger, clock, {"Client": [], "Site": [], "Users": []})
        known = {name: value for name, value in os.environ.items() if not name.startswith(("SOURCES__", "HALOSYNC"))}
        account = {"BASE_URL": url, "TENANT": "acme", "CLIENT_ID": tenant.modes.client_id}
        account["CLIENT_SECRET"] = tenant.modes.client_secret
        verb = subprocess.Popen(
            [sys.executable, "-m", "orchestration.cli", "publish", "--override-guard"],
            cwd=PROJECT_ROOT,
            env=known
            | {f"SOURCES__HALOPSA__{name}": value for name, value in account.items()}
            | {"HALOSYNC_DATA": str(tmp_path / "data"), "PUBLISHING_FILE": str(tmp_path / "publishing.toml")}
            | {"TMPDIR": str(tmp_path / "scratch")},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert under_way.wait(120), verb.communicate(timeout=5)

        began_s = time.monotonic()
        verb.terminate()
        _, said = verb.communicate(timeout=60)

        assert time.monotonic() - began_s < SECONDS_MAX
        assert verb.returncode == 128 + signal.SIGTERM
        assert "What was done is kept" in said
        assert "Traceback" not in said
        assert list((tmp_path / "scratch").iterdir()) == []
        with ledger.read() as connection:
            assert connection.scalars(sa.select(run.c.state)).all() == ["failed"]
        go_on.set()
        halo = HaloClient(url, "acme", tenant.modes.client_id, tenant.modes.client_secret, clock)
        while not tenant.records.rows["Client"]:
            time.sleep(0.01)
        assert publish(ledger, clock, halo, run_id="second").problems == []
    assert tenant.records_by_golden_id("Client") == {"org_acme": 1}
