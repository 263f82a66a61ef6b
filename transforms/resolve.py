"""`resolve FILE`: match any table of records, without vendors, a warehouse or a ledger.

Belongs here: reading and judging the file, running the steps of one entity, writing the answer, the `--state` folder.
Does not: the command line (orchestration), how matching works (pipeline.py and below).
Surprise: contacts bring their own organisations: employers named in the rows are resolved first, as vendors' are.
"""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from transforms import pipeline, standing
from transforms.context import IDS_SCHEMA, REGISTRY_SCHEMA, Context
from transforms.contracts import ENTITIES, TABLES
from transforms.engines.duckdb import DuckDBEngine
from transforms.kernels.standardise import arrow_schema
from transforms.model import Model

SUFFIXES = (".csv", ".parquet")
DEFAULT_SOURCE = "file"
MEMORY_LIMIT = "1GB"  # of DuckDB; Arrow and numpy need about as much at a million records
CSV_BLOCK_BYTES = 1 << 24  # no cell may be longer
# The carried columns of the contracts have no meaning in a file.
_NOT_IN_FILES = {
    "record_key",
    "source_id",
    "organisation_key",
    "parent_key",
    "email_status",
    "seniority",
    "department",
    "phone_do_not_call",
    "mobile_do_not_call",
    "region",
    "notice_date",
    "source_updated_at",
}
COLUMNS = {
    entity: (
        "record_id",
        *(name for name in TABLES[f"standardised.{entity}_input"].column_names if name not in _NOT_IN_FILES),
    )
    for entity in ENTITIES
}


class InputError(ValueError):
    """The file, its columns or an option is wrong; the message is one line with the remedy."""


def resolve_file(
    path: Path | str,
    entity: str,
    out: Path | str,
    *,
    pairs: Path | str | None = None,
    state: Path | str | None = None,
    threads: int | None = None,
    warn: Callable[[str], None] = lambda _: None,
) -> dict[str, object]:
    """Match the records of one file; write a row per input row, in input order. Returns the figures of the interface.

    Raises:
        InputError: the file cannot be read, has no usable record_id, or an output has an unknown suffix.
    """
    started, cpu = time.perf_counter(), time.process_time()
    if entity not in ENTITIES:
        raise InputError(f"Unknown entity {entity!r}; expected one of: {', '.join(ENTITIES)}.")
    for target in (out, pairs):
        if target is not None:
            _writable(Path(target))
    rows = _read(Path(path), entity, warn)
    keys = rows.select(["record_key", "source_id"])
    folder = None if state is None else Path(state)
    context = _context(folder, entity)
    with _engine(folder, threads) as engine:
        _standardise(engine, context, rows, entity)
        del rows  # a quarter of the peak; the engine has let go of it too
        _match(engine, context, entity)
        answer = _answer(engine, keys, entity)
        _write(answer, Path(out))
        if pairs is not None:
            _write(_evidence(engine, keys, entity), Path(pairs))
        candidates = engine.count(f"resolved.{entity}_pair")
        joined = engine.count(f"resolved.{entity}_pair where weight > 0")
        estimates = engine.fetch(f"resolved.{entity}_estimate").to_pylist()
        if folder is not None:
            _keep(folder, entity, context, engine.fetch(f"golden.{entity}_identity"))
            standing.mark(engine, context)
    model = context.models[entity]
    return {
        "records": keys.num_rows,
        "clusters": len(pc.unique(answer["cluster_id"])),
        "pairs": joined,
        "candidates": candidates,
        "threshold": round(model.threshold, 3),
        "model": {
            "version": model.version,
            "records": model.records,
            "prior_log2": round(model.prior_log2, 3),
            "calibration": model.calibration.method,
        },
        "estimated": {
            row["measure"]: {name: round(row[name], 4) for name in ("value", "low", "high")} for row in estimates
        },
        "seconds": round(time.perf_counter() - started, 3),
        "cpu_seconds": round(time.process_time() - cpu, 3),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
    }


def _read(path: Path, entity: str, warn: Callable[[str], None]) -> pa.Table:
    """The file as the input contract, plus record_id; all text."""
    if path.suffix.lower() not in SUFFIXES:
        raise InputError(f"{path.name}: unknown kind of file; expected a name that ends in {' or '.join(SUFFIXES)}.")
    if not path.is_file():
        raise InputError(f"{path}: no such file.")
    try:
        table = _read_csv(path) if path.suffix.lower() == ".csv" else pq.read_table(path)
        _check_text(table)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, UnicodeDecodeError, OSError) as problem:
        reason = str(problem).splitlines()[0] if str(problem) else type(problem).__name__
        raise InputError(f"{path.name}: cannot be read as {path.suffix.lower()[1:]}: {reason}") from None
    doubled = sorted({name for name in table.column_names if table.column_names.count(name) > 1})
    if doubled:
        raise InputError(f"{path.name}: column {doubled[0]} is there more than once; name each column once.")
    if "record_id" not in table.column_names:
        raise InputError(f"{path.name}: column record_id is missing; found: {', '.join(table.column_names[:12])}.")
    unknown = [name for name in table.column_names if name not in COLUMNS[entity]]
    if unknown:
        warn(f"{path.name}: ignored unknown column{'s' * (len(unknown) > 1)} {', '.join(unknown)}.")
    if len(unknown) + 1 >= len(table.column_names) and table.num_columns > 1:
        raise InputError(
            f"{path.name}: none of its columns belongs to a {entity}; "
            f"expected some of: {', '.join(COLUMNS[entity][2:])}."
        )
    return _shaped(table, entity, path.name)


def _check_text(table: pa.Table) -> None:
    """Parquet's reader takes any bytes for text; the engine would fail on them without a word of where.

    Raises:
        pa.ArrowInvalid: a column holds bytes that are no text, or offsets that point nowhere.
    """
    for name, column in zip(table.column_names, table.columns, strict=True):
        try:
            column.validate(full=True)
        except pa.ArrowInvalid as problem:
            raise pa.ArrowInvalid(f"column {name}: {problem}") from None


def _read_csv(path: Path) -> pa.Table:
    blocks = pa_csv.ReadOptions(block_size=CSV_BLOCK_BYTES)
    with path.open("rb") as stream:
        names = pa_csv.open_csv(
            stream, read_options=blocks, parse_options=pa_csv.ParseOptions(newlines_in_values=True)
        ).schema.names
    table = pa_csv.read_csv(
        path,
        read_options=blocks,
        parse_options=pa_csv.ParseOptions(newlines_in_values=True),
        convert_options=pa_csv.ConvertOptions(
            column_types={name: pa.string() for name in names}, strings_can_be_null=True, null_values=[""]
        ),
    )
    last = table.slice(table.num_rows - 1).to_pylist() if table.num_rows else []
    if any("\n" in (value or "") for row in last for value in row.values()) and path.read_bytes().count(b'"') % 2:
        raise pa.ArrowInvalid(f"row {table.num_rows} begins a quote that never ends; it swallows the rest of the file")
    return table


def _text(column: pa.ChunkedArray, name: str, file: str) -> pa.ChunkedArray:
    try:
        return column.cast(pa.string())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        raise InputError(f"{file}: column {name} is {column.type}, which is no text; write it as text.") from None


def _shaped(table: pa.Table, entity: str, file: str) -> pa.Table:
    identifier = _text(table["record_id"], "record_id", file)
    if identifier.null_count or pc.any(pc.equal(identifier, "")).as_py():
        missing = [index for index, value in enumerate(identifier.to_pylist()) if not value]
        raise InputError(
            f"{file}: {len(missing)} rows have no record_id, the first is row {missing[0] + 1}; give each an id."
        )
    counts = pc.value_counts(identifier)
    doubled = counts.filter(pc.greater(counts.field("counts"), 1))
    if len(doubled):
        raise InputError(f"{file}: {len(doubled)} values of record_id are there more than once; ids must be unique.")
    schema = arrow_schema(TABLES[f"standardised.{entity}_input"])
    source = (
        _text(table["source"], "source", file) if "source" in table.column_names else pa.nulls(len(table), pa.string())
    )
    source = pc.fill_null(source, DEFAULT_SOURCE)
    columns = {
        "source": source,
        "source_id": identifier,
        "record_key": pc.binary_join_element_wise(source, identifier, ":"),
    }
    keys = pc.value_counts(columns["record_key"])
    doubled = keys.filter(pc.greater(keys.field("counts"), 1)).field("values")
    if len(doubled):
        raise InputError(
            f"{file}: two pairs of source and record_id both read {doubled[0]}; rename one of the sources."
        )
    arrays = []
    for field in schema:
        if field.name in columns:
            arrays.append(columns[field.name])
        elif field.name in table.column_names and field.name in COLUMNS[entity]:
            arrays.append(_text(table[field.name], field.name, file))
        else:
            arrays.append(pa.nulls(table.num_rows, field.type))
    return pa.table(arrays, schema=schema)


def _standardise(engine: DuckDBEngine, context: Context, rows: pa.Table, entity: str) -> None:
    """The records of the file in their one shape."""
    pipeline.prepare(engine, context)
    given = f"standardised.{entity}_input"
    engine.raw(given, rows)
    for name in pipeline.STANDARDISE_STEPS[entity]:
        pipeline.build(engine, name, context)
    engine.raw(given, rows.schema.empty_table())


def _match(engine: DuckDBEngine, context: Context, entity: str) -> None:
    """The steps of one entity, from standardised records to golden ids."""
    steps = [*pipeline.RESOLVE_STEPS[entity]]
    if entity == "contact":
        recorded = arrow_schema(TABLES["standardised.organisation_input"]).empty_table()
        engine.put("standardised.organisation_recorded", recorded)
        steps = [*pipeline.ORGANISATION_STEPS, *pipeline.RESOLVE_STEPS["organisation"], *steps]
    for name in steps:
        pipeline.build(engine, name, context)


def _answer(engine: DuckDBEngine, keys: pa.Table, entity: str) -> pa.Table:
    """record_id, cluster_id, golden_id in input order; a cluster is named after the record_id of its first record."""
    cluster = engine.fetch(f"resolved.{entity}_cluster", ("record_key", "cluster_key"))
    golden = engine.fetch(f"golden.{entity}_identity", ("record_key", "golden_id"))
    record_key, record_id = keys["record_key"], keys["source_id"]
    cluster_key = cluster["cluster_key"].take(pc.index_in(record_key, cluster["record_key"]))
    return pa.table(
        {
            "record_id": record_id,
            "cluster_id": record_id.take(pc.index_in(cluster_key, record_key)),
            "golden_id": golden["golden_id"].take(pc.index_in(record_key, golden["record_key"])),
        }
    )


def _evidence(engine: DuckDBEngine, keys: pa.Table, entity: str) -> pa.Table:
    columns = ("record_key_l", "record_key_r", "weight", "probability", "pattern")
    table = engine.fetch(f"resolved.{entity}_pair", columns)
    identifier_of = dict(zip(keys["record_key"].to_pylist(), keys["source_id"].to_pylist(), strict=True))
    sides = zip(table["record_key_l"].to_pylist(), table["record_key_r"].to_pylist(), strict=True)
    ordered = [sorted((identifier_of[one], identifier_of[other])) for one, other in sides]
    return pa.table(
        {
            "record_id_l": pa.array([pair[0] for pair in ordered], pa.string()),
            "record_id_r": pa.array([pair[1] for pair in ordered], pa.string()),
            "weight": pc.divide(table["weight"].cast(pa.float64()), 1000.0),
            "probability": table["probability"],
            "pattern": table["pattern"],
        }
    ).sort_by([("record_id_l", "ascending"), ("record_id_r", "ascending")])


def _writable(path: Path) -> None:
    if path.suffix.lower() not in SUFFIXES:
        raise InputError(f"{path.name}: unknown kind of output; expected a name that ends in {' or '.join(SUFFIXES)}.")
    if not path.absolute().parent.is_dir():
        raise InputError(f"{path}: its folder does not exist; make it first.")


def _write(table: pa.Table, path: Path) -> None:
    """Whole or not at all: written beside, then renamed."""
    draft = path.with_name(f".{path.name}.part")
    if path.suffix.lower() == ".csv":
        pa_csv.write_csv(table, draft)
    else:
        pq.write_table(table, draft, compression="zstd")
    os.replace(draft, path)


@contextmanager
def _engine(folder: Path | None, threads: int | None) -> Iterator[DuckDBEngine]:
    """Tables in the state's folder, so that only changes are compared next time, or in memory."""
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    target = ":memory:" if folder is None else folder / "tables.duckdb"
    with DuckDBEngine(target, threads=threads, memory_limit=MEMORY_LIMIT) as engine:
        yield engine


def _context(folder: Path | None, entity: str) -> Context:
    context = Context(run_at=datetime.now(UTC), is_incremental=folder is not None)
    if folder is None or not folder.exists():
        return context
    if not folder.is_dir():
        raise InputError(f"{folder}: --state wants a folder, and this is a file.")
    for name in ENTITIES:
        model = folder / f"{entity}.{name}_model.json"
        if model.exists():
            context.models[name] = Model.model_validate_json(model.read_text("utf-8"))
    registry = folder / f"{entity}_registry.parquet"
    if registry.exists():
        context.registry[entity] = pq.read_table(registry, schema=REGISTRY_SCHEMA)
        context.ids[entity] = pq.read_table(folder / f"{entity}_id.parquet", schema=IDS_SCHEMA)
    return context


def _keep(folder: Path, entity: str, context: Context, members: pa.Table) -> None:
    """Registry, ids and models for the next run; a record that is gone keeps its row, so that it finds its id again."""
    folder.mkdir(parents=True, exist_ok=True)
    before = context.registry.get(entity, REGISTRY_SCHEMA.empty_table())
    ids = context.ids.get(entity, IDS_SCHEMA.empty_table())
    borne = pc.unique(members["golden_id"])
    new = borne.filter(pc.invert(pc.is_in(borne, ids["golden_id"])))
    this_run = (pc.max(ids["first_seq"]).as_py() or 0) + 1
    known = pa.concat_arrays([*ids["golden_id"].chunks, new])
    age = pa.concat_arrays([*ids["first_seq"].chunks, pa.repeat(pa.scalar(this_run, pa.int64()), len(new))])
    left = before.filter(pc.invert(pc.is_in(before["record_key"], members["record_key"])))
    rows = pa.concat_tables([table.select(members.column_names) for table in (left, members)])
    is_here = [pa.repeat(pa.scalar(here), len(table)) for here, table in ((False, left), (True, members))]
    rows = rows.append_column("is_present", pa.chunked_array(is_here))
    rows = rows.append_column("first_seq", age.take(pc.index_in(rows["golden_id"], known)))
    registry = rows.select(REGISTRY_SCHEMA.names).cast(REGISTRY_SCHEMA).sort_by("record_key")
    given = pa.table([known, age, pc.is_in(known, borne)], schema=IDS_SCHEMA).sort_by("golden_id")
    _write(given, folder / f"{entity}_id.parquet")
    for name, model in context.models.items():
        draft = folder / f".{entity}.{name}_model.json.part"
        draft.write_text(model.model_dump_json(), "utf-8")
        os.replace(draft, folder / f"{entity}.{name}_model.json")
    _write(registry, folder / f"{entity}_registry.parquet")  # last: it is what says that the state is there
