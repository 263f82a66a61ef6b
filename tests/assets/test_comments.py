"""Every table and column of a real run says what it is; the pages made from that are the ones in docs."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from assets import answers, comments

DOCS = Path(__file__).parents[2] / "docs"
RENEW = "HALOSYNC_RENEW=1 python3 -m orchestration test tests/assets/test_comments.py"


@pytest.fixture(scope="module")
def tables(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """The inspection copy of the demo."""
    copy = tmp_path_factory.mktemp("copy") / "inspect.duckdb"
    shutil.copyfile(demo / "demo" / "inspect.duckdb", copy)
    with duckdb.connect(str(copy), read_only=True) as connection:
        yield connection


def test_no_table_and_no_column_is_without_a_comment(tables):
    bare = tables.sql(
        "select schema_name || '.' || table_name from duckdb_tables() where comment is null "
        "union all select schema_name || '.' || view_name from duckdb_views() where comment is null and not internal "
        "union all select schema_name || '.' || table_name || '.' || column_name from duckdb_columns() "
        "where comment is null and not internal"
    ).fetchall()

    assert bare == []


@pytest.mark.parametrize("view", answers.VIEWS)
def test_each_question_has_an_answer_in_the_demo(tables, view):
    (rows,) = tables.sql(f"select count(*) from answers.{view}").fetchall()[0]
    key = [name.strip() for name in answers.describe.header(f"answers.{view}")["key"].split(",")]
    (keys,) = tables.sql(f"select count(*) from (select distinct {', '.join(key)} from answers.{view})").fetchall()[0]

    assert rows == keys
    assert rows or view == "waiting_for_you"


@pytest.mark.parametrize("page", ["data-dictionary.md", "answers.md"])
def test_the_pages_are_those_of_this_release(tables, page):
    found = comments.dictionary(tables) if page == "data-dictionary.md" else answers.document()
    if os.environ.get("HALOSYNC_RENEW") == "1":
        (DOCS / page).write_text(found, encoding="utf-8")

    assert found == (DOCS / page).read_text(encoding="utf-8"), f"{page} is not of this release; renew it with: {RENEW}"
