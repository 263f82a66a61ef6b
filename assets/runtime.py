"""What an asset needs of the outside: paths, clock, sources, HaloPSA, ledger, progress. One object, handed in.

Belongs here: the shape of that object, and opening the warehouse. Does not: reading settings (orchestration builds
the object), any step of the path. Surprise: it is a plain object and no Dagster resource class, so that `demo` and
tests can hand in a virtual clock and clients that live in the same process.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import duckdb

from sources.clock import Clock
from sources.intake import Meter
from transforms.survivorship.rules import Rules

if TYPE_CHECKING:
    from dlt.extract import DltSource

    from assets.publishing.ledger import Ledger
    from assets.publishing.rules import Rules as PublishingRules
    from sources.halopsa.client import HaloClient


class WarehouseBusy(Exception):
    """Somebody else has the warehouse open. Exit code 5."""


class Progress(Protocol):
    """Where a run shows how far it is; `advance` may be called often."""

    def start(self, step: str) -> None: ...

    def advance(self, done: int, total: int | None = None) -> None: ...

    def finish(self, step: str, *, is_done: bool) -> None: ...


class Silence:
    """No display."""

    def start(self, step: str) -> None:
        return

    def advance(self, done: int, total: int | None = None) -> None:
        return

    def finish(self, step: str, *, is_done: bool) -> None:
        return


@dataclass
class Runtime:
    """Everything a run is handed.

    Attributes:
        data: absolute folder of all state.
        sources: per configured source (vendors, exports, halopsa) a function that makes its dlt source.
        halo: the client that publishes; None where HaloPSA is not configured.
        publish: whether effects may be sent; without it they stay in the outbox.
        publish_s_max: how long one run may publish, seconds on `clock`; the rest waits in the outbox. None: no limit.
        rules: of survivorship; None: the shipped ones.
        publishing: rules of publishing; None: those of the demo, everybody and at once.
        prospects: whether the feed tells organisations that HaloPSA lacks as prospects.
        asking_order: vendors that a helpdesk's questions are put to, one after another.
        lock_wait_s: how long to wait for the warehouse's lock, wall seconds.
    """

    data: Path
    clock: Clock
    open_ledger: Callable[[], Ledger]
    sources: Mapping[str, Callable[[Meter], DltSource]]
    halo: HaloClient | None = None
    publish: bool = True
    publish_s_max: float | None = None
    rules: Rules | None = None
    publishing: PublishingRules | None = None
    prospects: bool = False
    asking_order: tuple[str, ...] = ()
    lock_wait_s: float = 60.0
    progress: Progress = field(default_factory=Silence)

    @property
    def warehouse(self) -> Path:
        return self.data / "warehouse.duckdb"

    @property
    def inspection_copy(self) -> Path:
        return self.data / "inspect.duckdb"

    @cached_property
    def ledger(self) -> Ledger:
        """The ledger, opened and migrated when it is first asked for; loading definitions touches no disk."""
        return self.open_ledger()

    @contextmanager
    def connect(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """The warehouse, open for writing, closed again whatever happens.

        Raises:
            WarehouseBusy: another process still holds it after `lock_wait_s`.
        """
        connection = open_waiting(self.warehouse, wait_s=self.lock_wait_s)
        try:
            yield connection
        finally:
            connection.close()

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Show one step of the path."""
        self.progress.start(name)
        is_done = False
        try:
            yield
            is_done = True
        finally:
            self.progress.finish(name, is_done=is_done)


def open_waiting(path: Path, *, wait_s: float) -> duckdb.DuckDBPyConnection:
    """Open a DuckDB file for writing, waiting for whoever has it open.

    Raises:
        WarehouseBusy: the lock was not free in time.
    """
    deadline_s = time.monotonic() + wait_s
    while True:
        try:
            connection = duckdb.connect(str(path))
        except duckdb.IOException as error:
            if "lock" not in str(error).lower():
                raise
            if time.monotonic() >= deadline_s:
                raise WarehouseBusy(
                    f"The warehouse {path} is open in another process. Close it there (to look at data use "
                    f"{path.with_name('inspect.duckdb').name}, a copy that is never locked), or wait for the other run."
                ) from error
            time.sleep(0.2)
        else:
            os.chmod(path, 0o600)
            connection.execute("SET autoinstall_known_extensions = false")  # a slip fails at once, on every machine
            connection.execute("SET TimeZone = 'UTC'")
            return connection
