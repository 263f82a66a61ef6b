"""Quality assets: a few tables a night and one page a person can read.

Belongs here: building `quality.*` and the minimal report. Does not: the SQL (`transforms/sql/quality`), blocking checks
(`checks.py`). Surprise: the page holds counts only, no value of any record, so it may be mailed around.
"""

import html
import json
from typing import Any

import dagster as dg
import duckdb

from assets import describe
from assets.common import OWNERS, POOL, table_metadata
from assets.runtime import Runtime
from transforms.contracts import ENTITIES
from transforms.engines.duckdb import DuckDBEngine

# Table -> the assets it reads.
TABLES = {
    **{f"quality.{entity}_completeness": [f"golden/{entity}"] for entity in ENTITIES},
    "quality.source_overlap": [f"golden/{entity}" for entity in ENTITIES],
}


def quality_table(name: str) -> dg.AssetsDefinition:
    """The asset of one quality table."""

    @dg.asset(
        key=name.split("."),
        group_name="quality",
        deps=[dg.AssetKey(key.split("/")) for key in TABLES[name]],
        description=describe.description(name),
        metadata=describe.metadata(name),
        kinds={"duckdb", "sql"},
        owners=OWNERS,
        pool=POOL,
        required_resource_keys={"runtime"},
    )
    def quality(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        runtime: Runtime = context.resources.runtime
        with runtime.step(name), runtime.connect() as connection:
            DuckDBEngine(connection).sql(name)
            return dg.MaterializeResult(metadata=table_metadata(connection, name))

    return quality


@dg.asset(
    key=["quality", "report"],
    group_name="quality",
    deps=[dg.AssetKey(name.split(".")) for name in TABLES],
    description="reports/quality.html and .json: the night's numbers on one page.",
    kinds={"html", "json"},
    owners=OWNERS,
    pool=POOL,
    required_resource_keys={"runtime"},
)
def quality_report(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    """Write the page and the same numbers as JSON."""
    runtime: Runtime = context.resources.runtime
    with runtime.connect() as connection:
        numbers = {name: _rows(connection, name) for name in TABLES}
    folder = runtime.data / "reports"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "quality.json").write_text(json.dumps(numbers, indent=1), encoding="utf-8")
    (folder / "quality.html").write_text(page(numbers), encoding="utf-8")
    return dg.MaterializeResult(metadata={"path": str(folder / "quality.html")})


def page(numbers: dict[str, list[dict[str, Any]]]) -> str:
    """One self-contained HTML page. Same numbers, same bytes."""
    parts = [
        "<!doctype html><html lang='en'><meta charset='utf-8'><title>Data quality</title>",
        "<style>body{font:16px system-ui;margin:2rem auto;max-width:60rem;padding:0 1rem;color-scheme:light dark}",
        "table{border-collapse:collapse;margin:0 0 2rem}th,td{text-align:left;padding:.3rem .9rem;",
        "border-bottom:1px solid #8886}td.n{text-align:right;font-variant-numeric:tabular-nums}</style>",
        "<h1>Data quality</h1>",
    ]
    for name, rows in numbers.items():
        parts.append(f"<h2>{html.escape(describe.description(name))}</h2><table>")
        heads = "".join(f"<th>{html.escape(column)}</th>" for column in (rows[0] if rows else {}))
        parts.append(f"<tr>{heads}</tr>")
        parts += ["<tr>" + "".join(_cell(value) for value in row.values()) + "</tr>" for row in rows]
        parts.append("</table>")
    return "\n".join(parts) + "\n"


def _cell(value: object) -> str:
    return f"<td class='n'>{value:,}</td>" if isinstance(value, int) else f"<td>{html.escape(str(value))}</td>"


def _rows(connection: duckdb.DuckDBPyConnection, name: str) -> list[dict[str, Any]]:
    found = connection.execute(f"select * from {name} order by all")
    columns = [column[0] for column in found.description or []]
    plain = [[int(value) if isinstance(value, int | float) else value for value in row] for row in found.fetchall()]
    return [dict(zip(columns, row, strict=True)) for row in plain]


def quality_assets() -> list[Any]:
    """All of them."""
    return [*(quality_table(name) for name in TABLES), quality_report]
