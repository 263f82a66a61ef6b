"""The ready views: the questions people ask most, answered without a join.

Belongs here: making them. Does not: their SQL (`transforms/sql/answers`, a view a file; docs/answers.md shows them).
Surprise: they are views, so they cost a run nothing and are as new as the tables under them.
"""

import duckdb

from assets import describe
from transforms.engines.duckdb import SQL_ROOT

SCHEMA = "answers"
VIEWS = tuple(sorted(path.stem for path in (SQL_ROOT / SCHEMA).glob("*.sql")))


def make(connection: duckdb.DuckDBPyConnection) -> None:
    """Every view whose tables are there."""
    connection.execute(f"create schema if not exists {SCHEMA}")
    there = connection.execute("select schema_name || '.' || table_name from duckdb_tables()").fetchall()
    existing = {name for (name,) in there}
    for view in VIEWS:
        name = f"{SCHEMA}.{view}"
        if set(describe.header(name)["inputs"].split(", ")) <= existing:
            query = (SQL_ROOT / SCHEMA / f"{view}.sql").read_text(encoding="utf-8")
            connection.execute(f"create or replace view {name} as {query}")
            question = describe.description(name).replace("'", "''")
            connection.execute(f"comment on view {name} is '{question}'")


def document() -> str:
    """docs/answers.md: each question with its view and SQL."""
    parts = [_HEAD]
    for view in VIEWS:
        name = f"{SCHEMA}.{view}"
        query = (SQL_ROOT / SCHEMA / f"{view}.sql").read_text(encoding="utf-8")
        body = "\n".join(line for line in query.splitlines() if not line.startswith("-- ")).strip()
        told = f"`{name}`, {describe.header(name)['grain']}: {describe.header(name)['why']}."
        parts.append(f"## {describe.description(name)}\n\n{told}\n\n```sql\n{body}\n```\n")
    return "\n".join(parts)


_HEAD = """# Questions people ask, answered

Views in `inspect.duckdb`, the copy of the warehouse that no run ever locks: open it with the DuckDB command line
(`duckdb -readonly data/inspect.duckdb "from answers.contact_card limit 10"`) or any client that reads DuckDB. What each
table and column holds, `docs/data-dictionary.md` says. This page is made from `transforms/sql/answers` by a test.
"""
