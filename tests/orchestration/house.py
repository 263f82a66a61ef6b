"""A whole halosync in a temporary folder: simulators, virtual clock, full path; for end-to-end tests.

`House.run` runs in this process; `halosync` is the real command line in another one, `House.vendors` what it speaks to.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pandas as pd

from orchestration import settings as settings_module
from orchestration.full_path import Outcome, execute
from orchestration.progress import Display
from orchestration.resources import build_runtime
from orchestration.settings import PROJECT_ROOT
from orchestration.simulated import Surroundings, recipe_for, simulated
from sources.shared_clock import ClockServer
from sources.simulation import serve

# Apollo must be asked for somebody; its simulator, like Apollo, ignores what it does not know, so this means everybody.
EVERYBODY = '{"is_everybody": true}'
DEMO_PEOPLE = 120
WRITES = ("/api/Client", "/api/Site", "/api/Users")


def halosync(*arguments: str, data: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command line as a person calls it, on this data folder and with no settings but these."""
    known = {name: value for name, value in os.environ.items() if not name.startswith(("SOURCES__", "HALOSYNC"))}
    return subprocess.run(
        [sys.executable, "-m", "orchestration.cli", *arguments],
        cwd=PROJECT_ROOT,
        env=known | {"HALOSYNC_DATA": str(data), **environment},
        capture_output=True,
        text=True,
        timeout=280,
    )


@dataclass
class Ran:
    """One run: how it ended and what HaloPSA and the vendors saw."""

    outcome: Outcome
    writes: int
    records_by_golden_id: dict[str, dict[str, int]]
    changes: list[object]


class House:
    """One data folder; `run` is one run of the full path on it."""

    def __init__(self, root: Path, *, people: int, seed: int = 7) -> None:
        self.root = root
        self.people = people
        self.seed = seed
        settings = settings_module.load(env_file=None).model_copy(update={"data": root})
        self.settings = settings.model_copy(update={"lock_wait_s": 2.0})
        self.settings.prepare()

    def run(self, *, change: float = 0.0, prepare: Callable[[Surroundings], None] | None = None) -> Ran:
        recipe = recipe_for(self.root, people=self.people, seed=self.seed, change=change)
        with simulated(self.settings, recipe) as around, Display(quiet=True) as display:
            if prepare is not None:
                prepare(around)
            runtime = build_runtime(around.settings, clock=around.clock, progress=display)
            outcome = execute(runtime, display)
            halo = around.simulators["halopsa"]
            writes = sum(item.method == "POST" and item.path in WRITES for item in halo.log)
            held = {resource: dict(halo.records_by_golden_id(resource)) for resource in ("Client", "Users")}
            self.halo_rows = {name: dict(rows) for name, rows in halo.records.rows.items()}
            self.world = around.world
            runtime.ledger.close()
        return Ran(outcome, writes, held, [])

    @contextmanager
    def vendors(self) -> Iterator[tuple[Surroundings, dict[str, str]]]:
        """The simulators and their clock, served; and the environment by which the command line finds them."""
        recipe = recipe_for(self.root, people=self.people, seed=self.seed, change=0.0)
        with simulated(self.settings, recipe) as around, serve(ClockServer(around.clock)) as clock:
            found = {"HALOSYNC_CLOCK": clock, "SOURCES__APOLLO__QUERY": EVERYBODY}
            yield around, around.settings.as_environment() | found

    def golden(self, entity: str) -> pd.DataFrame:
        """The golden table without its moments, ordered by id."""
        with duckdb.connect(str(self.root / "inspect.duckdb"), read_only=True) as connection:
            return connection.sql(f"select * exclude (updated_at) from golden.{entity} order by golden_id").df()

    def query(self, sql: str) -> list[tuple[object, ...]]:
        with duckdb.connect(str(self.root / "inspect.duckdb"), read_only=True) as connection:
            return connection.execute(sql).fetchall()

    def feed(self) -> dict[str, object]:
        return json.loads((self.root / "feed" / "latest.json").read_text())

    @classmethod
    def of_demo(cls, demo: Path, data: Path) -> House:
        """A copy of the session's `demo`, where `halosync demo` on `data` looks for it."""
        shutil.copytree(demo / "demo", data / "demo")
        return cls(data / "demo", people=DEMO_PEOPLE)

    def copy_to(self, root: Path) -> House:
        """The same state in another folder, for a what-if."""
        shutil.copytree(self.root, root, dirs_exist_ok=True)
        return House(root, people=self.people, seed=self.seed)
