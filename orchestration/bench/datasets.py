"""The labelled data of `bench resolve`: sets in a folder, the simulated world at several sizes, pseudopeople's sample.

Belongs here: finding or making them, each as two Parquet files (records in the columns of `resolve`; labels).
Does not: what the world holds (sources/world), what pseudopeople does (peers/make_pseudopeople.py).
Surprise: sets of `--data` are read where they are and never copied; whether one is of contacts or of organisations is
told by its columns. A world is made in a process of its own, so that its memory is gone before anything is measured.
"""

from __future__ import annotations

import json
import multiprocessing
import subprocess
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
from sources.world.organisations import company_id
from sources.world.world import World
from transforms.contracts import ENTITIES

from orchestration.bench import environments
from orchestration.bench.receipts import fingerprint
from orchestration.exits import Exit, Stop
from orchestration.settings import PROJECT_ROOT

WORLD_PROFILE = "bench-v1"
SEED = 1
PEOPLE_PER_CONTACT = 0.62  # three vendors hold 1.61 contact records of each person (measured at 10 k and 100 k)
SIZES = (10_000, 100_000)


@dataclass(frozen=True)
class Dataset:
    """One set. `phenomena`, where there is one, says which entity is hard in which way (entity_id, phenomenon)."""

    name: str
    entity: str
    records: Path
    labels: Path
    phenomena: Path | None = None

    @property
    def rows(self) -> int:
        return pq.ParquetFile(self.records).metadata.num_rows

    @property
    def columns(self) -> list[str]:
        return list(pq.ParquetFile(self.records).schema_arrow.names)

    @property
    def digest(self) -> str:
        return fingerprint([self.records, self.labels])


def labelled(folder: Path) -> list[Dataset]:
    """The sets under `--data DIR`: every sub-folder with records.parquet and labels.parquet.

    Raises:
        Stop: there is none (exit 2).
    """
    found = [
        _of_folder(records.parent)
        for records in sorted(folder.glob("*/records.parquet"))
        if records.with_name("labels.parquet").exists()
    ]
    if not found:
        raise Stop(
            f"{folder}: no sub-folder holds records.parquet and labels.parquet; give --data another folder.", Exit.USAGE
        )
    return found


def _of_folder(folder: Path) -> Dataset:
    columns = pq.ParquetFile(folder / "records.parquet").schema_arrow.names
    is_person = bool({"first_name", "last_name", "full_name"} & set(columns))
    entity = "contact" if is_person else "organisation"
    return Dataset(folder.name, entity, folder / "records.parquet", folder / "labels.parquet")


def world_name(size: int, entity: str) -> str:
    short = f"{size // 1_000_000}m" if size % 1_000_000 == 0 else f"{size / 1000:g}k"
    return f"world-{short}-{entity}"


def world(size: int, root: Path) -> list[Dataset]:
    """The world with about `size` contact records (and a fifth as many of organisations), made if it is missing."""
    folders = {entity: root / world_name(size, entity) for entity in ENTITIES}
    stamp = f"{WORLD_PROFILE} {SEED} {size} {fingerprint([PROJECT_ROOT / 'sources' / 'world'])}"
    if any(_stamp_of(folder) != stamp for folder in folders.values()):
        with ProcessPoolExecutor(max_workers=1, mp_context=multiprocessing.get_context("spawn")) as pool:
            pool.submit(_make_world, size, folders, stamp).result()
    return [
        Dataset(
            folder.name, entity, folder / "records.parquet", folder / "labels.parquet", folder / "phenomena.parquet"
        )
        for entity, folder in folders.items()
    ]


def _make_world(size: int, folders: dict[str, Path], stamp: str) -> None:
    made = World.generate(max(10, round(size * PEOPLE_PER_CONTACT)), SEED, WORLD_PROFILE)
    raw = folders["contact"].parent / "world.part"
    made.write_raw(raw)
    truth = made.truth().rename(columns={"record_key": "record_id"})
    hard = {
        "contact": [(name, tag) for name, tags in made.phenomena.items() for tag in tags],
        "organisation": [(company_id(row), tag) for row, one in enumerate(made.companies) for tag in one.tags],
    }
    for entity, folder in folders.items():
        folder.mkdir(parents=True, exist_ok=True)
        (raw / f"{entity}.parquet").replace(folder / "records.parquet")
        labels = truth.loc[truth["entity"] == entity, ["record_id", "entity_id"]]
        labels.to_parquet(folder / "labels.parquet", index=False)
        phenomena = pd.DataFrame(hard[entity], columns=["entity_id", "phenomenon"])
        phenomena.to_parquet(folder / "phenomena.parquet", index=False)
        (folder / "made.stamp").write_text(stamp)
    for left in raw.iterdir():
        left.unlink()
    raw.rmdir()


def pseudopeople(root: Path, peers: Path) -> Dataset:
    """pseudopeople's shipped sample, made if it is missing.

    Raises:
        NotInstalled: the package cannot be installed, or does not do what it did.
    """
    folder = root / "pseudopeople"
    script = environments.PEERS / "make_pseudopeople.py"
    stamp = f"{SEED} {fingerprint([script, environments.requirements('pseudopeople')])}"
    dataset = Dataset(folder.name, "contact", folder / "records.parquet", folder / "labels.parquet")
    if _stamp_of(folder) == stamp:
        return dataset
    python = environments.interpreter("pseudopeople", peers)
    folder.mkdir(parents=True, exist_ok=True)
    job = folder / "job.json"
    paths = {"records": str(dataset.records), "labels": str(dataset.labels), "answer": str(folder / "answer.json")}
    job.write_text(json.dumps({"seed": SEED} | paths))
    done = subprocess.run([python, script, job], capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise environments.NotInstalled(f"pseudopeople is installed but made no sample: {last}")
    (folder / "made.stamp").write_text(stamp)
    return dataset


def _stamp_of(folder: Path) -> str | None:
    path = folder / "made.stamp"
    return path.read_text() if path.exists() else None


def chosen(names: Sequence[str], known: Sequence[str]) -> list[str]:
    """Names that were asked for; `world` means all that begin with `world-`. All, where none was asked for.

    Raises:
        Stop: a name that fits nothing (exit 2).
    """
    for name in names:
        if not any(_fits(name, candidate) for candidate in known):
            raise Stop(f"No set {name!r}; there are: {', '.join(known)}.", Exit.USAGE)
    return [candidate for candidate in known if not names or any(_fits(name, candidate) for name in names)]


def _fits(asked: str, name: str) -> bool:
    return name == asked or name.startswith(f"{asked}-")
