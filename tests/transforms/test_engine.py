"""The engine port on DuckDB: whole groups, bounded batches, nothing installed by itself."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from transforms.engines import duckdb as engine_module
from transforms.engines.duckdb import DuckDBEngine


def _sizes(batch: pa.RecordBatch) -> pa.RecordBatch:
    """group -> rows of it that this batch holds."""
    counts = pc.value_counts(batch.column("g"))
    return pa.RecordBatch.from_arrays([counts.field("values"), counts.field("counts")], names=["g", "n"])


def test_no_group_is_cut_by_the_edge_of_a_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module, "BATCH_ROWS", 2048)
    groups = [index % 7 if index % 3 else 100 for index in range(30_000)] + [200] * 9_000 + [300]
    with DuckDBEngine() as engine:
        engine.put("work.row", pa.table({"g": groups}))
        engine.map_groups("work.size", "work.row", "g", _sizes, pa.schema([("g", pa.int64()), ("n", pa.int64())]))

        found = dict(zip(*(column.to_pylist() for column in engine.fetch("work.size").columns), strict=True))
        assert engine.count("work.size") == len(set(groups))
    assert found == {group: groups.count(group) for group in set(groups)}


def test_map_streams_every_row_once() -> None:
    with DuckDBEngine() as engine:
        engine.put("work.row", pa.table({"g": list(range(250_000))}))
        engine.map("work.copy", "work.row", lambda batch: batch, pa.schema([("g", pa.int64())]))

        assert sorted(engine.fetch("work.copy")["g"].to_pylist()) == list(range(250_000))


def test_a_borrowed_connection_stays_open(tmp_path: Path) -> None:
    connection = duckdb.connect(str(tmp_path / "w.duckdb"))
    with DuckDBEngine(connection) as engine:
        engine.put("work.row", pa.table({"g": [1]}))

    assert connection.execute("select g from work.row").fetchall() == [(1,)]
    assert connection.execute("select current_setting('autoinstall_known_extensions')").fetchone() == (False,)
    connection.close()


def test_put_replaces_and_has_tells() -> None:
    with DuckDBEngine() as engine:
        assert not engine.has("work.row")
        engine.put("work.row", pa.table({"g": [1, 2]}))
        engine.put("work.row", pa.table({"g": pa.array([], pa.int64())}))

        assert engine.has("work.row")
        assert engine.count("work.row") == 0


def test_a_heavy_map_works_in_a_script_without_a_main_guard(tmp_path: Path) -> None:
    """With spawned processes this died as BrokenProcessPool, since each worker ran the script again."""
    script = tmp_path / "script.py"
    script.write_text(
        "import pyarrow as pa\n"
        "from transforms.engines.duckdb import DuckDBEngine\n"
        "print('started')\n"
        "engine = DuckDBEngine(threads=2)\n"
        "engine.put('work.row', pa.table({'g': list(range(130_000))}))\n"
        "engine.map('work.copy', 'work.row', lambda batch: batch, pa.schema([('g', pa.int64())]), is_heavy=True)\n"
        "print(engine.connection.sql('select count(distinct g) from work.copy').fetchone())\n",
        encoding="utf-8",
    )

    done = subprocess.run(
        [sys.executable, str(script)],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stdout.split("\n")[:2]) == (0, ["started", "(130000,)"]), done.stderr


@pytest.mark.parametrize("threads", [1, 3])
def test_a_heavy_map_gives_every_row_once_on_any_number_of_threads(
    threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_module, "HEAVY_BATCH_ROWS", 2048)
    workers = set()

    def noted(batch: pa.RecordBatch) -> pa.RecordBatch:
        workers.add(threading.current_thread().name.rpartition("_")[0])
        return batch

    with DuckDBEngine(threads=threads) as engine:
        engine.put("work.row", pa.table({"g": list(range(50_000))}))
        engine.map("work.copy", "work.row", noted, pa.schema([("g", pa.int64())]), is_heavy=True)

        assert sorted(engine.fetch("work.copy")["g"].to_pylist()) == list(range(50_000))
    assert ("kernel" in workers) == (threads > 1)


def test_a_kernel_that_fails_stops_the_map_with_its_own_error() -> None:
    def broken(batch: pa.RecordBatch) -> pa.RecordBatch:
        raise ValueError("record apollo:1 is odd")

    with DuckDBEngine(threads=2) as engine:
        engine.put("work.row", pa.table({"g": [1]}))

        with pytest.raises(Exception, match="record apollo:1 is odd"):
            engine.map("work.copy", "work.row", broken, pa.schema([("g", pa.int64())]), is_heavy=True)
        assert not engine.has("work.copy")
