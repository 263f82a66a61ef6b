"""What the README shows exists, is true, and runs: its commands, its tables, its pictures, its block of a real run."""

from __future__ import annotations

import argparse
import importlib
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from assets.describe import header
from orchestration.cli import VERBS
from tests.orchestration.house import House, halosync
from transforms.pipeline import STEPS

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = {name: (ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "CONTRIBUTING.md", "data/README.md")}
COMMAND = re.compile(r"python3 -m orchestration ([^`#\n|]+)")
COMMANDS = sorted({found.strip() for text in PAGES.values() for found in COMMAND.findall(text)})
PICTURE_BYTES_MAX = 300_000
README_LINES_MAX = 100


def parsed(words: list[str]) -> argparse.Namespace:
    module = importlib.import_module(VERBS[words[0]].module)
    parser = argparse.ArgumentParser()
    module.add_arguments(parser)
    known, rest = parser.parse_known_args(words[1:])
    assert words[0] == "test" or rest == []
    return known


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_shown_is_a_verb_with_those_flags(command):
    parsed(shlex.split(command))


def test_the_commands_of_the_first_screen_are_among_them():
    assert {"demo", "test", "demo --change 0.01", "ui --demo", "check", "run --no-publish"} <= set(COMMANDS)


def test_a_second_demo_has_nothing_to_do(demo, tmp_path):
    House.of_demo(demo, tmp_path)

    again = halosync("demo", "--json", data=tmp_path)

    found = json.loads(again.stdout)
    written = found["halo"]["created"] + found["halo"]["updated"]
    assert (found["changes"], written) == ({"organisation": 0, "contact": 0}, 0)
    assert sum(found["credits"].values()) == 0


def test_check_touches_nothing(tmp_path):
    done = halosync("check", data=tmp_path / "data")

    assert done.returncode == 0
    assert not (tmp_path / "data").exists()


def test_resolve_matches_any_table(tmp_path):
    (tmp_path / "FILE.csv").write_text(
        "record_id,full_name,email,organisation_name\n"
        "1,Robert Ashdown,rob.ashdown@brackwell.example,Brackwell Ltd\n"
        "2,Rob Ashdown,rob.ashdown@brackwell.example,Brackwell\n"
        "3,Mina Okafor,mina@harrowgate.example,Harrowgate\n"
    )

    done = halosync(
        *("resolve", str(tmp_path / "FILE.csv"), "--entity", "contact", "--out", str(tmp_path / "OUT.csv")),
        data=tmp_path,
    )

    assert done.returncode == 0, done.stderr
    assert [line.split(",")[0].strip('"') for line in (tmp_path / "OUT.csv").read_text().splitlines()] == [
        "record_id",
        "1",
        "2",
        "3",
    ]


def test_the_snippet_opens_the_tables(demo):
    snippet = re.search(r"```python\n(.*?)```", README, re.DOTALL)
    assert snippet is not None

    code = snippet[1].replace("data/demo", str(demo / "demo"))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
    assert "golden_id" in done.stdout


def test_the_tables_named_are_there_and_commented(demo):
    named = sorted(
        {
            table
            for row in re.findall(r"^\| (`.*?) \|", README, re.MULTILINE)
            for table in re.findall(r"`(\w+\.\w+)`", row)
        }
    )
    with duckdb.connect(str(demo / "demo" / "inspect.duckdb"), read_only=True) as warehouse:
        found = {
            name for (name,) in warehouse.sql("select schema_name || '.' || table_name from duckdb_tables()").fetchall()
        }

    assert len(named) >= 6
    assert set(named) <= found


def test_the_key_of_every_sql_header_is_a_key(demo):
    broken = {}
    with duckdb.connect(str(demo / "demo" / "inspect.duckdb"), read_only=True) as warehouse:
        for name in STEPS:
            if key := header(name).get("key"):
                rows, distinct = warehouse.execute(f"select count(*), count(distinct ({key})) from {name}").fetchall()[
                    0
                ]
                if rows != distinct:
                    broken[name] = (key, rows, distinct)

    assert broken == {}


@pytest.mark.parametrize("page", PAGES)
def test_every_link_and_picture_is_there(page):
    folder = (ROOT / page).parent
    targets = [target for target in re.findall(r"\]\(([^)#]+)\)", PAGES[page]) if "://" not in target]

    assert [target for target in targets if not (folder / target).exists()] == []


def test_pictures_are_small_and_fetch_nothing():
    pictures = sorted(path for path in (ROOT / "docs" / "pictures").iterdir() if path.suffix in {".png", ".svg"})

    assert [path.name for path in pictures] == ["assets.png", "demo.svg", "report.png"]
    assert all(path.stat().st_size < PICTURE_BYTES_MAX for path in pictures)
    assert "url(" not in re.sub(r"url\(#", "", pictures[1].read_text())


def test_the_block_of_the_demo_is_what_the_demo_prints():
    """Same lines in the same order as `summary.show`; the figures are renewed by docs/pictures/demo.py."""
    block = re.search(r"<!-- demo -->\n```\n(.*?)```\n<!-- /demo -->", README, re.DOTALL)
    assert block is not None

    first_words = [line.split()[0] for line in block[1].splitlines() if line.strip()]

    funnel = [
        "step",
        "━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━╇━━━━━━━━━━╇",
        "fetched",
        "standardised",
        "pairs",
        "golden",
        "changes",
    ]
    expected = [word[:12] for word in [*funnel, "precision", "recall", "HaloPSA", "Feed", "Credits", "Took"]]
    assert [word[:12] for word in first_words if word not in {"!", "From"}] == expected


def test_the_readme_stays_short():
    assert len(README.splitlines()) <= README_LINES_MAX
