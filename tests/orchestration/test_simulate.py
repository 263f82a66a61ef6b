"""`halosync simulate`: a real process that speaks as the vendor does, plays a fault, and ends when it is told to."""

from __future__ import annotations

import json
import signal
import subprocess
import sys

import requests

from orchestration.cli import main
from orchestration.settings import PROJECT_ROOT
from sources.clock import VirtualClock
from sources.halopsa.client import HaloClient
from sources.uplead.client import UpLeadClient

SIMULATE = [sys.executable, "-m", "orchestration.cli", "simulate"]


def begun(*arguments: str) -> tuple[subprocess.Popen[str], dict]:
    process = subprocess.Popen(
        [*SIMULATE, *arguments, "--people", "60", "--json"],
        cwd=PROJECT_ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    line = process.stdout.readline()
    assert line, process.communicate(timeout=10)
    return process, json.loads(line)


def test_a_simulated_vendor_plays_a_fault_logs_its_requests_and_ends_by_a_signal():
    process, told = begun("uplead", "--fault", "500 @ balance")

    clock = VirtualClock()
    client = UpLeadClient(told["url"], told["environment"]["SOURCES__UPLEAD__API_KEY"], clock)
    credits = client.credits()
    process.terminate()
    rest, log = process.communicate(timeout=60)

    assert (credits, dict(client.session.retried)) == (10_000_000, {"HTTP 500": 1})
    assert (process.returncode, rest) == (0, "")
    assert log.splitlines() == ["GET   500   /v2/credits", "GET   200   /v2/credits", "Stopped; nothing of it is kept."]
    assert told["faults"] == ["500 @ balance"]


def test_the_environment_it_names_opens_the_simulated_halo_and_a_wrong_key_does_not():
    process, told = begun("halopsa")
    try:
        account = {key.rpartition("__")[2].lower(): value for key, value in told["environment"].items()}
        client = HaloClient(
            account["base_url"], account["tenant"], account["client_id"], account["client_secret"], VirtualClock()
        )
        assert [row["name"] for row in client.rows("Client")]
        assert requests.get(f"{told['url']}/api/Client", timeout=10).status_code == 401
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    assert process.returncode == 0


def test_the_faults_are_listed_and_an_unknown_one_is_refused_with_the_nearest(capsys):
    listed = main(["simulate", "zoominfo", "--list-faults", "--json"])
    names = [fault["name"] for fault in json.loads(capsys.readouterr().out)["faults"]]
    refused = main(["simulate", "apollo", "--fault", "429 with the date"])

    assert (listed, len(names) > 300, "reply lost @ token" in names) == (0, True, True)
    assert refused == 2
    assert capsys.readouterr().err == (
        "There is no fault '429 with the date'. Did you mean '429 with a date'? See --list-faults.\n"
    )
