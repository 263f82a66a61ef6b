"""`resolve` and `why` start and end without pandas, whose import costs as much as all others together."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

ROOT = Path(__file__).parents[2]


def _python(script: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return done.stdout.splitlines()[-1]


def test_resolve_never_imports_pandas(tmp_path: Path) -> None:
    records = tmp_path / "records.csv"
    records.write_text("record_id,first_name,last_name,email\n1,Ann,Lee,ann@a.example\n2,Ann,Lee,ann@a.example\n")
    script = (
        "import sys; from orchestration.cli import main; "
        "code = main(['resolve', sys.argv[1], '--entity', 'contact', '--out', sys.argv[2], '--json']); "
        "print(code, 'pandas' in sys.modules)"
    )

    assert _python(script, str(records), str(tmp_path / "out.csv")) == "0 False"


def test_why_never_imports_pandas(demo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HALOSYNC_DATA", str(demo / "demo"))
    with duckdb.connect(str(demo / "demo" / "inspect.duckdb"), read_only=True) as tables:
        golden_id = tables.sql("select min(golden_id) from golden.contact").fetchall()[0][0]
    script = (
        "import sys; from orchestration.cli import main; "
        "code = main(['why', sys.argv[1], '--json']); print(code, 'pandas' in sys.modules)"
    )

    assert _python(script, golden_id) == "0 False"


def test_who_asks_for_pandas_later_gets_it() -> None:
    script = (
        "from orchestration.lean import keep_pandas_away; keep_pandas_away(); "
        "import pyarrow; print(pyarrow.table({'a': [1, 2]}).to_pandas()['a'].sum())"
    )

    assert _python(script) == "3"
