"""The report in Dagster: one asset a table, the page, and a check per section with its severity.

Belongs here: assets, checks, metadata, comments in the warehouse. Does not: tables (night.py), the page (page.py).
Surprise: a table's dependencies are read off its SQL header, and what earlier nights left is no dependency, for the
history is read before it is written. The checks report; they block nothing, for they run after everything was sent.
"""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb

from assets import describe, inspection, ops
from assets.common import OWNERS, POOL, table_metadata
from assets.quality import night
from assets.quality.catalogue import SECTIONS
from assets.quality.columns import COLUMNS
from assets.quality.document import Document, document
from assets.quality.given import MAYBE_MISSING, prepare
from assets.quality.labels import Label, read_labels
from assets.quality.page import page
from assets.runtime import Runtime
from assets.tables import key_of
from transforms.engines.duckdb import DuckDBEngine

GROUP = "quality"
NIGHT = dg.AssetKey(["quality", "night"])
REPORT = dg.AssetKey(["quality", "report"])
LABELS = "labels.csv"  # in reports/: what people answered, for every night from then on
# Tables that are put beside the night -> what they hold.
GIVEN = {
    "quality.night": "The night that is reported and its moment, cut to the hour.",
    "quality.metric": "The catalogue of metrics: section, unit, limits, who mends it.",
    "quality.reference": "Hosts of free and throw-away mail, and local parts of mailboxes that are nobody's.",
    "quality.calling_code": "Calling codes and the countries that share each.",
}
# Tables that no SQL file makes -> the tables they are made from.
_PYTHON_INPUTS = {
    "quality.labelled_accuracy": ("quality.pair_stratum",),
    "quality.source_accuracy": ("quality.agreement",),
    "quality.self_check": ("quality.number",),
}


@dg.asset(
    key=NIGHT,
    group_name=GROUP,
    deps=[dg.AssetKey(["ops", name]) for name in ops.MIRRORED],
    description="The night that is reported, the catalogue of metrics, and the mirrors of the ledger as of now.",
    kinds={"duckdb", "python"},
    owners=OWNERS,
    pool=POOL,
    required_resource_keys={"runtime"},
)
def quality_night(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    """Publishing may have gone on since the last full sync, so what the ledger knows is mirrored again."""
    runtime: Runtime = context.resources.runtime
    with runtime.step("quality.night"), runtime.connect() as connection:
        for name in ops.MIRRORED:
            ops.mirror_table(runtime, connection, name)
        reported = prepare(DuckDBEngine(connection), runtime.clock.now())
    return dg.MaterializeResult(metadata={"night": str(reported)})


def _dependencies(name: str) -> list[dg.AssetKey]:
    inputs = _PYTHON_INPUTS.get(name) or tuple(re.findall(r"\w+\.\w+", describe.header(name)["inputs"]))
    kept = {f"quality.{table}" for table in night.KEEPS_NIGHTS}
    keys = {NIGHT if one in GIVEN or one in MAYBE_MISSING else key_of(one) for one in inputs if one not in kept}
    return sorted(keys)


def _specs() -> list[dg.AssetSpec]:
    return [
        dg.AssetSpec(
            key=name.split("."),
            group_name=GROUP,
            deps=_dependencies(name),
            description=describe.description(name),
            metadata=describe.metadata(name),
            kinds={"duckdb", "python" if name in _PYTHON_INPUTS else "sql"},
            owners=OWNERS,
            skippable=True,  # a run may select some of them
        )
        for name in night.NAMES
    ]


@dg.multi_asset(name="quality_tables", specs=_specs(), can_subset=True, pool=POOL, required_resource_keys={"runtime"})
def quality_tables(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult]:
    """The tables that the run selected, in their order; in one step, for a step costs more than most of them."""
    runtime: Runtime = context.resources.runtime
    told = labels_of(runtime.data)
    chosen = {key.path[-1] for key in context.selected_asset_keys}
    with runtime.connect() as connection:
        engine = DuckDBEngine(connection)
        for name in (name for name in night.NAMES if name.split(".")[1] in chosen):
            with runtime.step(name):
                night.make(engine, name, told)
            is_view = name.removeprefix("quality.") in night.VIEWS
            metadata = {} if is_view else table_metadata(connection, name)
            yield dg.MaterializeResult(asset_key=name.split("."), metadata=metadata)


def labels_of(data: Path) -> list[Label]:
    """What people answered so far."""
    path = data / "reports" / LABELS
    return read_labels(path) if path.exists() else []


def _check_name(section: str) -> str:
    words = re.sub(r"[^a-z0-9]+", "_", SECTIONS[section].lower()).strip("_")
    return f"{section.lower()}_{words}"


@dg.asset(
    key=REPORT,
    group_name=GROUP,
    deps=[dg.AssetKey(name.split(".")) for name in night.NAMES],
    description="reports/quality.html and .json: whether tonight's data can be trusted, and every number behind it.",
    kinds={"html", "json"},
    owners=OWNERS,
    pool=POOL,
    required_resource_keys={"runtime"},
    check_specs=[
        dg.AssetCheckSpec(name=_check_name(section), asset=REPORT, description=f"{section}: {title}")
        for section, title in SECTIONS.items()
        if section != "R0"
    ],
)
def quality_report(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult]:
    """Write page and JSON, comment the tables, renew the inspection copy, and judge each section."""
    runtime: Runtime = context.resources.runtime
    with runtime.step("quality.report"):
        with runtime.connect() as connection:
            comment(connection)
            told = document(DuckDBEngine(connection))
        written = write(told, runtime.data / "reports")
        inspection.renew(runtime)
    severities = [row["severity"] for row in told.judged]
    golden = {row["entity"]: row["value"] for row in told.judged if row["metric"] == "golden"}
    yield dg.MaterializeResult(
        metadata={
            "page": dg.MetadataValue.path(str(written)),
            "verdict": told.verdict.words,
            "numbers": len(severities),
            "warnings": severities.count("warning"),
            "errors": severities.count("error"),
            **{f"golden_{entity}": count for entity, count in sorted(golden.items())},
        },
        check_results=[_judge(told, section) for section in SECTIONS if section != "R0"],
    )


def _judge(told: Document, section: str) -> dg.AssetCheckResult:
    """A section fails with what is outside of its limits; an error there is an error, else it is a warning."""
    rows = [row for row in told.judged if row["section"] == section]
    bad = [row for row in rows if row["severity"] != "ok"]
    is_error = any(row["severity"] == "error" for row in bad)
    found = "; ".join(f"{row['number_id']} = {row['value']:,} ({row['reason']})" for row in bad)
    return dg.AssetCheckResult(
        check_name=_check_name(section),
        passed=not bad,
        severity=dg.AssetCheckSeverity.ERROR if is_error else dg.AssetCheckSeverity.WARN,
        metadata={"numbers": len(rows), "outside": len(bad), "found": found or "nothing to object to"},
    )


def write(told: Document, folder: Path) -> Path:
    """quality.html and quality.json in `folder`, each whole or not at all; returns the page's path."""
    folder.mkdir(parents=True, exist_ok=True)
    texts = {"json": json.dumps(told.as_json(), indent=1, ensure_ascii=False) + "\n", "html": page(told)}
    for ending, text in texts.items():
        draft = folder / f".quality.{ending}.part"
        draft.write_text(text, encoding="utf-8")
        os.replace(draft, folder / f"quality.{ending}")
    return folder / "quality.html"


def comment(connection: duckdb.DuckDBPyConnection) -> None:
    """Every table of the report and every column of it says in the warehouse what it is."""
    found = connection.execute(
        "select table_name, column_name from duckdb_columns() where schema_name = 'quality'"
    ).fetchall()
    views = {f"quality.{view}" for view in night.VIEWS}
    for name in (*night.NAMES, *GIVEN):
        kind = "view" if name in views else "table"
        text = GIVEN.get(name) or describe.description(name)
        connection.execute(f"comment on {kind} {name} is '{_quoted(text)}'")
    for table, column in found:
        if column in COLUMNS:
            connection.execute(f"comment on column quality.{table}.{column} is '{_quoted(COLUMNS[column])}'")


def _quoted(text: str) -> str:
    return text.replace("'", "''")


def quality_assets() -> list[Any]:
    """All of them."""
    return [quality_night, quality_tables, quality_report]
