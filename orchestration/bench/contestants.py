"""Who takes part in `bench resolve`, and how each is run on one file in a process of its own.

Belongs here: names, what decides whether an old receipt still holds, command lines. Does not: a peer's settings
(peers/*.py, run by the peer's own Python), judging (judging.py).
Surprise: halosync runs twice: once as users run it, which is measured, and once more with `--pairs` for the evidence,
which is not, since no peer writes as much; both runs must agree on every cluster.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from orchestration.bench import environments
from orchestration.bench.datasets import Dataset
from orchestration.bench.processes import Limits, Measured, measure
from orchestration.bench.receipts import fingerprint
from orchestration.settings import PROJECT_ROOT


class Failed(Exception):
    """A contestant ended by itself without an answer; the text is its last line."""


@dataclass(frozen=True)
class Outcome:
    """What a run left: its cost, and files for the judge; no clusters where a limit stopped it."""

    measured: Measured
    clusters: Path | None = None
    pairs: Path | None = None
    info: dict[str, Any] | None = None


class Halosync:
    """Our own matching, through its command line."""

    name = "halosync"
    links_by_components = False

    def fits(self, dataset: Dataset) -> bool:
        return True

    def key(self) -> dict[str, Any]:
        return {"code": fingerprint([PROJECT_ROOT / "transforms", PROJECT_ROOT / "requirements.lock"])}

    def run(self, dataset: Dataset, folder: Path, limits: Limits) -> Outcome:
        """Raises: Failed."""
        clusters, again, pairs = (folder / f"{name}.parquet" for name in ("clusters", "again", "pairs"))
        base = [sys.executable, "-m", "orchestration.cli", "resolve", str(dataset.records), "--json"]
        base += ["--entity", dataset.entity]
        measured = run_measured([*base, "--out", str(clusters)], folder, limits)
        if measured.stopped:
            return Outcome(measured)
        info = json.loads((folder / "stdout").read_text())
        repeat = run_measured([*base, "--out", str(again), "--pairs", str(pairs)], folder, limits)
        if repeat.stopped:
            return Outcome(measured, clusters, info=info | {"pairs_stopped": repeat.stopped})
        if not pq.read_table(clusters).equals(pq.read_table(again)):
            raise Failed("two runs on the same file gave different clusters")
        return Outcome(measured, clusters, pairs, info)


@dataclass(frozen=True)
class Peer:
    """A tool in an environment of its own, spoken to with a job file."""

    name: str
    package: str
    script: str
    root: Path
    settings: dict[str, Any]
    links_by_components: bool  # its pairs may be clustered anew at any threshold
    needs: tuple[str, ...] = ()  # columns without which its model of contacts means nothing

    def fits(self, dataset: Dataset) -> bool:
        return dataset.entity == "organisation" or set(self.needs) <= set(dataset.columns)

    def key(self) -> dict[str, Any]:
        scripts = [*sorted(environments.PEERS.glob(f"{self.package}_*.py")), environments.PEERS / self.script]
        return {
            "package": self.package,
            "version": environments.version(self.package),
            "settings": self.settings,
            "code": fingerprint([*scripts, environments.requirements(self.package)]),
        }

    def run(self, dataset: Dataset, folder: Path, limits: Limits) -> Outcome:
        """Raises: Failed, NotInstalled."""
        python = environments.interpreter(self.package, self.root)
        files = {name: folder / f"{name}.parquet" for name in ("clusters", "pairs")} | {
            "answer": folder / "answer.json"
        }
        job = folder / "job.json"
        paths = {"records": str(dataset.records)} | {name: str(path) for name, path in files.items()}
        job.write_text(json.dumps({"entity": dataset.entity} | self.settings | paths))
        measured = run_measured([str(python), str(environments.PEERS / self.script), str(job)], folder, limits)
        if measured.stopped:
            return Outcome(measured)
        pairs = files["pairs"] if files["pairs"].exists() else None
        return Outcome(measured, files["clusters"], pairs, json.loads(files["answer"].read_text()))


def contestants(peers: Path) -> dict[str, Halosync | Peer]:
    """All of them by name, in the order of every table; `peers` is where their environments are."""
    business = ("organisation_domain", "linkedin_url")
    found: list[Halosync | Peer] = [
        Halosync(),
        Peer("splink", "splink", "run_splink.py", peers, {"is_tuned": False}, links_by_components=True),
        Peer(
            "splink-tuned",
            "splink",
            "run_splink.py",
            peers,
            {"is_tuned": True},
            links_by_components=True,
            needs=business,
        ),
        Peer("goldenmatch", "goldenmatch", "run_goldenmatch.py", peers, {}, links_by_components=False),
    ]
    return {one.name: one for one in found}


def run_measured(command: list[str], folder: Path, limits: Limits) -> Measured:
    """One run in an empty home; what it prints goes to `stdout` and `stderr` in the folder. Raises: Failed."""
    # A home of its own: a tool that keeps memories or caches there begins each run without them.
    home = folder / "home"
    home.mkdir(exist_ok=True)
    kept = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    measured = measure(
        command,
        stdout=folder / "stdout",
        stderr=folder / "stderr",
        limits=limits,
        cwd=PROJECT_ROOT,
        environment=kept | {"HOME": str(home)},
    )
    if measured.exit_code and not measured.stopped:
        lines = [line for line in (folder / "stderr").read_text(errors="replace").splitlines() if line.strip()]
        raise Failed(f"exit code {measured.exit_code}: {lines[-1][:200] if lines else 'no message'}")
    return measured
