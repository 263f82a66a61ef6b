"""`halosync ui` as a person meets it: it starts on loopback, shows what is there, runs it, and ends with all it began.

Processes are recognised by the data folder in their environment, so that a child which outlives the UI is found.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest
import requests

from orchestration.settings import PROJECT_ROOT
from tests.orchestration.house import House

pytestmark = pytest.mark.timeout(600)
READY_S = 240.0
RUN_S = 240.0
END_S = 120.0

LAUNCH = """mutation ($job: String!) { launchPipelineExecution(executionParams: {mode: "default", selector: {
    repositoryLocationName: "halosync", repositoryName: "__repository__", pipelineName: $job}})
    { __typename ... on LaunchRunSuccess { run { runId } } } }"""
STATUS = "query ($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"
ASSET = """query ($path: [String!]!) { assetNodeOrError(assetKey: {path: $path}) { ... on AssetNode {
    assetMaterializations(limit: 1) { runId metadataEntries { label
        ... on IntMetadataEntry { intValue } ... on TextMetadataEntry { text } } } } } }"""
CHECK = """query ($path: [String!]!) { assetNodeOrError(assetKey: {path: $path}) { ... on AssetNode { assetChecksOrError {
    ... on AssetChecks { checks { name executionForLatestMaterialization { runId status } } } } } } }"""
SCHEDULES = """{ repositoryOrError(repositorySelector: {repositoryLocationName: "halosync",
    repositoryName: "__repository__"}) { ... on Repository { schedules { name scheduleState { status } } } } }"""


def environment(data: Path) -> dict[str, str]:
    known = {name: value for name, value in os.environ.items() if not name.startswith(("SOURCES__", "HALOSYNC"))}
    return known | {"HALOSYNC_DATA": str(data)}


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "orchestration.cli", *arguments]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def processes_on(data: Path) -> list[str]:
    """Command lines of all living processes whose environment names the data folder."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if str(data).encode() in (folder / "environ").read_bytes():
                found.append((folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()[:120])
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue  # it ended while we looked, or is not ours
    return found


def wait_for(what: Callable[[], Any], seconds: float) -> Any:
    deadline_s = time.monotonic() + seconds
    while time.monotonic() < deadline_s:
        if found := what():
            return found
        time.sleep(0.5)
    raise AssertionError(f"nothing within {seconds} s")


@dataclass
class Ui:
    """A running UI and the questions its pages ask."""

    process: subprocess.Popen[str]
    port: int
    log: Path

    def ask(self, query: str, **variables: Any) -> Any:
        with requests.Session() as session:
            session.trust_env = False
            body = {"query": query, "variables": variables}
            answer = session.post(f"http://127.0.0.1:{self.port}/graphql", json=body, timeout=60).json()
        assert "errors" not in answer, answer
        return answer["data"]

    def run(self, job: str) -> tuple[str, str]:
        """Launch a job, wait for its end; its id and status."""
        launched = self.ask(LAUNCH, job=job)["launchPipelineExecution"]
        assert launched["__typename"] == "LaunchRunSuccess", launched
        run_id = launched["run"]["runId"]
        ended = {"SUCCESS", "FAILURE", "CANCELED"}
        return run_id, wait_for(lambda: next(iter({self.status(run_id)} & ended), None), RUN_S)

    def status(self, run_id: str) -> str:
        return self.ask(STATUS, id=run_id)["runOrError"]["status"]

    def last(self, *path: str) -> tuple[str, dict[str, Any]]:
        """Run id and metadata of an asset's newest materialisation."""
        found = self.ask(ASSET, path=path)["assetNodeOrError"]["assetMaterializations"][0]
        told = {entry["label"]: entry.get("intValue", entry.get("text")) for entry in found["metadataEntries"]}
        return found["runId"], told


def started(data: Path, log: Path, *arguments: str) -> Ui:
    """As a script starts it with `&`: SIGINT is then inherited as ignored."""
    port = free_port()
    with log.open("w") as out:
        process = subprocess.Popen(
            command("ui", "--port", str(port), *arguments),
            cwd=PROJECT_ROOT,
            env=environment(data),
            stdout=out,
            stderr=out,
            text=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
        )
    ui = Ui(process, port, log)
    wait_for(lambda: "Ctrl-C stops it" in log.read_text() or process.poll() is not None, READY_S)
    assert process.poll() is None, log.read_text()
    return ui


def ended(ui: Ui, data: Path) -> int:
    ui.process.send_signal(signal.SIGTERM)
    code = ui.process.wait(timeout=END_S)
    wait_for(lambda: not processes_on(data), 10)
    return code


@pytest.fixture(scope="module")
def shown(demo, tmp_path_factory) -> Iterator[tuple[Ui, Path]]:
    """A UI on the data of a small demo."""
    data = tmp_path_factory.mktemp("demo")
    House.of_demo(demo, data)
    ui = started(data, data / "ui.log", "--demo")
    yield ui, data / "demo"
    if ui.process.poll() is None:
        ended(ui, data)


def test_a_full_sync_from_the_ui_runs_on_the_demos_simulators_and_clock(shown):
    """The run is a process of its own: it finds the simulators and their virtual time, and has nothing to do."""
    ui, _ = shown

    run_id, status = ui.run("full_sync")

    assert status == "SUCCESS", ui.log.read_text()
    by, delivered = ui.last("halopsa_publish")
    assert by == run_id
    assert (delivered["created"], delivered["updated"], delivered["rejected"]) == (0, 0, 0)
    assert ui.last("integrator_feed")[1]["commit"] == "nothing changed"
    by, mirrored = ui.last("halo_mirror")
    assert by == run_id
    assert mirrored["Users"] > 0
    assert ui.last("ops", "ledger_state")[1]["run_at"].startswith("2026-11-02")  # the simulated day


def test_a_failed_blocking_check_stops_publishing(shown):
    ui, data = shown
    before = (data / "feed" / "latest.json").read_bytes()
    with duckdb.connect(
        str(data / "warehouse.duckdb")
    ) as warehouse:  # a source that breaks the contract: one key twice
        columns = "id, archive_seq, content_hash, fetched_at, payload, _dlt_load_id, _dlt_id"
        for row in "ab":
            warehouse.execute(
                f"insert into raw_exports.contact ({columns}) values ('apollo:1', 1, 'h', now(), ?, 'x', ?)",
                ['{"First Name": "Ada", "Last Name": "Stone", "Company": "Brackwell"}', row],
            )

    run_id, status = ui.run("full_sync")

    checks = ui.ask(CHECK, path=["standardised", "contact"])["assetNodeOrError"]["assetChecksOrError"]["checks"]
    assert status == "FAILURE"
    assert [(check["name"], check["executionForLatestMaterialization"]["status"]) for check in checks] == [
        ("contract", "FAILED")
    ]
    assert ui.last("standardised", "contact")[0] == run_id
    assert ui.last("golden", "contact")[0] != run_id
    assert ui.last("halopsa_publish")[0] != run_id
    assert (data / "feed" / "latest.json").read_bytes() == before


def test_sigterm_in_the_middle_of_a_run_leaves_no_process_and_the_next_start_no_dead_run(shown):
    ui, data = shown
    run_id = ui.ask(LAUNCH, job="full_sync")["launchPipelineExecution"]["run"]["runId"]
    wait_for(lambda: ui.status(run_id) == "STARTED", RUN_S)

    code = ended(ui, data)

    assert code == 0, ui.log.read_text()
    again = started(data.parent, data / "again.log", "--demo")
    assert again.status(run_id) == "FAILURE"
    assert ended(again, data) == 0


def test_on_an_empty_folder_everything_is_there_and_nothing_starts_by_itself(tmp_path):
    ui = started(tmp_path / "data", tmp_path / "ui.log")

    schedules = ui.ask(SCHEDULES)["repositoryOrError"]["schedules"]
    _, status = ui.run("full_sync")

    with pytest.raises(ConnectionRefusedError):  # 127.0.0.2 answers only where a server listens on every address
        socket.create_connection(("127.0.0.2", ui.port), timeout=5)
    assert {item["name"]: item["scheduleState"]["status"] for item in schedules} == {
        "every_30_minutes": "STOPPED",
        "drain_every_15_minutes": "STOPPED",
        "nightly_at_2": "STOPPED",
        "nightly_at_3": "STOPPED",
    }
    assert status == "SUCCESS", ui.log.read_text()
    assert ui.last("golden", "contact")[1]["dagster/row_count"] == 0
    assert ui.last("halopsa_publish")[1]["skipped"].startswith("publishing is off")
    assert ended(ui, tmp_path) == 0
    assert "Traceback" not in ui.log.read_text()


def test_a_taken_port_is_one_clear_line(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = subprocess.run(
            command("ui", "--port", str(port)),
            cwd=PROJECT_ROOT,
            env=environment(tmp_path),
            capture_output=True,
            text=True,
            timeout=120,
        )

    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        f"Port {port} on 127.0.0.1 cannot be used: Address already in use. Choose another: halosync ui --port {port + 1}."
    ]


def test_apollo_without_a_filter_is_refused_before_anything_starts(tmp_path):
    """From the UI too it would have bought everybody."""
    done = subprocess.run(
        command("ui", "--port", str(free_port())),
        cwd=PROJECT_ROOT,
        env=environment(tmp_path) | {"SOURCES__APOLLO__API_KEY": "k"},
        capture_output=True,
        text=True,
        timeout=120,
    )

    assert done.returncode == 2
    assert done.stderr.startswith("Setting SOURCES__APOLLO__QUERY is missing")
