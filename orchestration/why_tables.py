"""Where `why` looks: the tables of a run, the models that may have made them, the lives of golden ids.

Belongs here: opening the inspection copy with its ledger, or the folder of `resolve --state`. Does not: what is asked
(why.py), what the answer means (transforms/explain*.py).
Surprise: of the stored models the newest that gives the very weights in the tables is taken, for a run that is under
way may already have learned a newer one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
from assets.publishing import models, registry, story
from assets.publishing.ledger import Ledger, LedgerBusy, LedgerError
from transforms.contracts import ENTITIES
from transforms.engines.duckdb import DuckDBEngine
from transforms.explain_records import Evidence, quoted, replays
from transforms.model import VERSION, Model

from orchestration.exits import Exit, Stop
from orchestration.settings import Settings

STATE_TABLES = "tables.duckdb"
Stories = Callable[[str], dict[str, Any] | None]
Lives = Callable[[str], list[dict[str, Any]]]


@dataclass
class Tables:
    """`place` names the file in messages; `life` gives the events of a golden id, the oldest first; `published`
    what is known of it towards HaloPSA, None for nothing."""

    engine: DuckDBEngine
    place: str
    models: Callable[[str], Iterator[Model]]
    life: Lives
    published: Stories
    _evidence: dict[str, Evidence] = field(default_factory=dict)

    @property
    def entities(self) -> list[str]:
        """What was matched here."""
        return [entity for entity in ENTITIES if self.engine.has(f"golden.{entity}_identity")]

    def evidence(self, entity: str) -> Evidence:
        """The entity's tables with their model.

        Raises:
            Stop: no model of this release is kept (exit 2).
        """
        if entity not in self._evidence:
            newest: Model | None = None
            for model in self.models(entity):
                newest = newest or model
                if replays(self.engine, model):
                    newest = model
                    break
            if newest is None:
                raise Stop(
                    f"No model of this release is kept for the {entity} tables of {self.place}, so nothing can be "
                    "explained. Run again: it learns one.",
                    Exit.USAGE,
                )
            self._evidence[entity] = Evidence(self.engine, entity, newest)
        return self._evidence[entity]


def of_data(settings: Settings, stack: ExitStack) -> Tables:
    """The inspection copy of a data folder and its ledger.

    Raises:
        Stop: there is none yet (exit 2), or the ledger is busy or of another release (exit 5, 2).
    """
    path = settings.inspection_copy
    url = settings.ledger
    is_there = not url.startswith("sqlite:///") or Path(url.removeprefix("sqlite:///")).is_file()
    if not path.is_file() or not is_there:
        raise Stop(
            f"{path}: there is nothing to explain yet. First: halosync run (or halosync demo, then why --demo).",
            Exit.USAGE,
        )
    try:
        ledger = Ledger.open(url, settings.data_root)
    except LedgerBusy as error:
        raise Stop(str(error), Exit.BUSY) from error
    except LedgerError as error:
        raise Stop(str(error), Exit.USAGE) from error
    stack.callback(ledger.close)
    return Tables(
        _opened(path, stack),
        path.name,
        partial(_of_ledger, ledger),
        partial(registry.life_of, ledger),
        partial(story.story_of, ledger),
    )


def of_state(folder: Path, stack: ExitStack) -> Tables:
    """The folder of `resolve --state`.

    Raises:
        Stop: it is no such folder (exit 2), or a run has it open (exit 5).
    """
    path = folder / STATE_TABLES
    if not path.is_file():
        raise Stop(f"{folder}: no state of `resolve --state` is there ({STATE_TABLES} is missing).", Exit.USAGE)
    engine = _opened(path, stack)
    return Tables(engine, str(path), partial(_of_folder, folder), partial(_last_run, engine), _unpublished)


def _opened(path: Path, stack: ExitStack) -> DuckDBEngine:
    try:
        connection = duckdb.connect(str(path), read_only=True)
    except duckdb.IOException as error:
        if "lock" not in str(error).lower():
            raise
        raise Stop(f"{path} is open in another process; wait for it to end.", Exit.BUSY) from error
    stack.callback(connection.close)
    return DuckDBEngine(connection)


def _of_ledger(ledger: Ledger, entity: str) -> Iterator[Model]:
    for body in models.versions(ledger, entity):
        if body["version"] == VERSION:
            yield Model.model_validate(body)


def _of_folder(folder: Path, entity: str) -> Iterator[Model]:
    """A folder may hold the state of files of contacts and of organisations; both learn about organisations."""
    for path in sorted(folder.glob(f"*.{entity}_model.json")):
        yield Model.model_validate_json(path.read_text("utf-8"))


def _last_run(engine: DuckDBEngine, golden_id: str) -> list[dict[str, Any]]:
    """Without a ledger only what the last run did is known."""
    tables = [f"golden.{entity}_lineage" for entity in ENTITIES if engine.has(f"golden.{entity}_lineage")]
    return [
        row for table in tables for row in engine.fetch(f"{table} where golden_id = {quoted(golden_id)}").to_pylist()
    ]


def _unpublished(golden_id: str) -> None:
    """What `resolve` made is not for HaloPSA."""
