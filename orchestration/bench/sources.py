"""The vendors' sources in full volume: every fault at every place, buyers that are killed, a million saved contacts.

Belongs here: the parts, their receipts, what is measured. Does not: the faults (`sources/faults.py`), the suites
(tests/sources), the crowd and its readers (saved_contacts.py).
Surprise: each part keeps a receipt, so that a bench that was stopped goes on with the next one.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
from rich.console import Console
from rich.table import Table

from orchestration import settings as settings_module
from orchestration.bench.processes import Limits, Measured, measure
from orchestration.bench.receipts import Receipts, fingerprint
from orchestration.bench.saved_contacts import LIFTED
from orchestration.bench.suites import play
from orchestration.exits import Exit, Stop
from orchestration.settings import PROJECT_ROOT

CAP = 50_000  # of one search, as Apollo has it
_CODE = ("sources", "tests/sources", "orchestration/bench/saved_contacts.py")
_READER = "orchestration.bench.saved_contacts"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--only", action="append", choices=PARTS, help="a part (default all); may be repeated")
    parser.add_argument("--contacts", type=int, default=1_000_000, help="saved contacts (default 1000000)")
    parser.add_argument("--plain", type=int, metavar="N", help="of them read by plain dlt too (default all)")
    parser.add_argument("--kills", type=int, default=300, help="buyers to kill (default 300)")
    parser.add_argument("--out", type=Path, metavar="DIR", help="receipts (default data/bench/sources)")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")


def run(arguments: argparse.Namespace) -> Exit:
    folder = arguments.out or settings_module.load().data_root / "bench" / "sources"
    receipts = Receipts(folder)
    code = fingerprint(PROJECT_ROOT / name for name in _CODE)
    figures: dict[str, Any] = {}
    for name in arguments.only or PARTS:
        key = {name: getattr(arguments, name) for name in ("contacts", "plain", "kills")} | {"code": code}
        receipt = receipts.once(f"sources-{name}", key, partial(_measured, PARTS[name], folder, arguments))
        figures |= receipt["figures"]
    if arguments.json:
        print(json.dumps({"schema_version": 1, "figures": figures}))
    else:
        table = Table("figure", "found", title="The vendors' sources")
        for name, found in figures.items():
            table.add_row(name, f"{found:,}" if isinstance(found, int | float) else str(found))
        Console(file=sys.stdout).print(table)
    return Exit.DEFECT if any(found for name, found in figures.items() if name.endswith("failed")) else Exit.DONE


def _measured(part: Callable[..., dict[str, Any]], folder: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    return {"figures": part(folder, arguments)}


def _faults(folder: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    """Every fault of the list at every place, in memory and over a socket."""
    played = play("tests/sources/test_faults.py", HALOSYNC_FAULTS="all")
    return _of_suite("faults", played)


def _kills(folder: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    """Buyers killed at random points, a third at each vendor."""
    played = play("tests/sources/test_kills.py", workers=1, HALOSYNC_BUYER_KILLS=arguments.kills)
    return _of_suite("kills", played)


def _of_suite(name: str, played: dict[str, Any]) -> dict[str, Any]:
    told = {f"{name}: {count}": found for count, found in played["counts"].items()}
    told |= {f"{name}: tests passed": played["passed"], f"{name}: tests failed": played["failed"]}
    return (
        told
        | {f"{name}: seconds": played["seconds"]}
        | ({f"{name}: failures": played["failures"]} if played["failed"] else {})
    )


def _million(folder: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    """All saved contacts with the cap lifted, a tenth of them for the memory, beside plain dlt; then with the cap."""
    count, scratch = arguments.contacts, folder / "scratch"
    beside = arguments.plain or count
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    try:
        with _serving(count // 10, LIFTED) as url:
            tenth, _ = _read("ours", url, scratch / "tenth")
        with _serving(count, LIFTED) as url:
            ours, said = _read("ours", url, scratch)
            plain, _ = _read("plain", url, scratch, str(beside))
        with _serving(count, CAP) as url:
            _, capped = _read("ours", url, scratch / "capped", str(CAP))
        rows = {name: _rows(scratch / f"{name}.duckdb", schema) for name, schema in SCHEMAS.items()}
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return {
        "saved contacts": count,
        "rows, ours": rows["ours"],
        "rows, plain dlt": rows["plain"],
        "problems with the cap lifted": len(said["problems"]),
        "with the cap": " ".join(capped["problems"]),
        "rows a second, ours": round(count / ours.wall_s),
        "rows a second, plain dlt": round(beside / plain.wall_s),
        "ours beside plain dlt": round((count / ours.wall_s) / (beside / plain.wall_s), 2),
        "CPU seconds, ours": round(ours.cpu_s, 1),
        "CPU seconds, plain dlt": round(plain.cpu_s, 1),
        "peak MB, ours": round(ours.peak_mb),
        "peak MB, ours, a tenth of the contacts": round(tenth.peak_mb),
        "peak MB, plain dlt": round(plain.peak_mb),
        "load of the machine before": round(ours.load, 1),
    }


SCHEMAS = {"ours": "raw_apollo", "plain": "raw_plain"}
PARTS: dict[str, Callable[..., dict[str, Any]]] = {"faults": _faults, "kills": _kills, "million": _million}


@contextmanager
def _serving(count: int, rows_max: int) -> Iterator[str]:
    """The account in a process of its own; yields its address."""
    command = [sys.executable, "-m", _READER, "serve", str(count), str(rows_max)]
    server = subprocess.Popen(command, cwd=PROJECT_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    try:
        url = server.stdout.readline().strip()
        if not url:
            raise Stop("The simulated account did not start; its message is above.", Exit.DEFECT)
        yield url
    finally:
        server.communicate(timeout=60)


def _read(reader: str, url: str, folder: Path, *more: str) -> tuple[Measured, dict[str, Any]]:
    """One reader in a process of its own: what it cost, and what it said."""
    folder.mkdir(parents=True, exist_ok=True)
    out, log = folder / f"{reader}.json", folder / f"{reader}.log"
    command = [sys.executable, "-m", _READER, reader, url, str(folder), *more]
    cost = measure(command, stdout=out, stderr=log, limits=Limits(wall_s=3 * 3_600), cwd=PROJECT_ROOT)
    if cost.exit_code:
        raise Stop(f"The reader {reader} failed: {log.read_text()[-500:]}", Exit.DEFECT)
    said: dict[str, Any] = json.loads(out.read_text().splitlines()[-1])
    return cost, said


def _rows(warehouse: Path, schema: str) -> int:
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        found = connection.execute(f"select count(*) from {schema}.contact").fetchone()
    assert found is not None
    return int(found[0])
