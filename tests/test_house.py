"""The house itself: walls between rooms, lint, types, docstrings, no hosts or machine paths in what we commit."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
import sqlglot
from sqlglot import exp

from assets import answers
from assets.describe import header
from assets.quality import TABLES as QUALITY_TABLES
from transforms.engines.duckdb import SQL_ROOT
from transforms.pipeline import STEPS

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("sources", "transforms", "assets", "orchestration")
SQL_FILES = sorted(f"{path.parent.name}.{path.stem}" for path in SQL_ROOT.rglob("*.sql"))
MODULES = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))

# Which packages a room may not import; the reasons are in docs/architecture.md.
WALLS = {
    "sources": ("dagster", "assets", "orchestration", "transforms"),
    "transforms": ("dagster", "dlt", "requests", "sources", "assets", "orchestration"),
    "assets/publishing": ("dagster", "dlt", "orchestration"),
    "assets": ("orchestration",),
}


def imports_of(path: Path) -> set[str]:
    """Every module imported anywhere in a file, also inside functions."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


def breaches(relative: str, imported: set[str]) -> list[str]:
    banned = {name for room, names in WALLS.items() if relative.startswith(f"{room}/") for name in names}
    return sorted(f"{relative} imports {name}" for name in imported if name.split(".")[0] in banned)


def test_no_room_imports_across_a_wall():
    found = [line for path in MODULES for line in breaches(str(path.relative_to(ROOT)), imports_of(path))]

    assert found == []


def test_a_breach_would_be_found():
    assert breaches("transforms/x.py", {"dlt.sources"}) == ["transforms/x.py imports dlt.sources"]


def test_the_front_door_needs_only_the_standard_library():
    imported = {name.split(".")[0] for name in imports_of(ROOT / "orchestration" / "__main__.py")}

    assert imported <= set(sys.stdlib_module_names)
    assert (ROOT / "orchestration" / "__init__.py").read_text() == ""


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_module_says_what_it_is(path):
    text = path.read_text()

    assert text == "" or ast.get_docstring(ast.parse(text)), "a module docstring says what belongs here and what not"


# Steps that are the same for both entities: one file a table is the rule, so each stands twice.
TWINS = (
    *("block", "block_report", "candidate", "cluster", "copy", "crossing", "dirty", "former_key", "open_key"),
    *("outcome", "pair", "pattern_count", "reopened"),
)


@pytest.mark.parametrize("step", TWINS)
def test_what_is_alike_for_both_entities_stays_alike(step):
    """A mend of one file that forgets its twin would match contacts by one rule and organisations by another."""
    folder = ROOT / "transforms" / "sql" / "resolved"
    of_contacts, of_organisations = (
        (folder / f"{entity}_{step}.sql").read_text() for entity in ("contact", "organisation")
    )

    assert of_organisations == of_contacts.replace("contact", "organisation")


def test_nothing_committed_names_a_registry_or_this_machine():
    tracked = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True)
    telltale = re.compile(
        r"files\.pythonhosted|pypi\.org|registry\.npmjs|deb\.debian\.org|/root/|/home/\w+/|/work/(?:main|shared)"
    )
    found = []
    for name in tracked.stdout.splitlines():
        path = ROOT / name
        if path.suffix in {".png", ".parquet"} or path.name == "test_house.py" or not path.is_file():
            continue
        found += [f"{name}: {hit}" for hit in telltale.findall(path.read_text(errors="replace"))]

    assert found == []


@pytest.mark.parametrize("name", SQL_FILES)
def test_an_sql_header_says_what_the_query_reads(name):
    """The header is data: the UI shows it, and prose that nobody checks rots."""
    told = header(name)
    tree = sqlglot.parse_one((SQL_ROOT / f"{name.replace('.', '/')}.sql").read_text(), read="duckdb")

    steps = {step.alias for step in tree.find_all(exp.CTE)}
    read = {f"{table.db}.{table.name}" for table in tree.find_all(exp.Table) if table.db or table.name not in steps}

    assert set(re.findall(r"\w+\.\w+", told["inputs"])) == read
    assert told["about"].endswith((".", "?"))
    assert told["grain"].startswith("one row per ")
    assert told["why"]
    assert told["key"]
    if name in STEPS:
        assert set(STEPS[name].inputs) == read


def test_every_sql_file_is_a_step_a_quality_table_or_an_answer():
    answered = {f"{answers.SCHEMA}.{view}" for view in answers.VIEWS}

    assert {name for name in SQL_FILES if name not in STEPS} == set(QUALITY_TABLES) | answered


@pytest.mark.parametrize(
    "command",
    [("ruff", "check", "."), ("ruff", "format", "--check", "."), ("mypy",)],
    ids=["lint", "format", "types"],
)
def test_the_house_is_tidy(command):
    done = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True)

    assert done.returncode == 0, done.stdout + done.stderr
