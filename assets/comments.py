"""A COMMENT on every table and column of the warehouse, so that any client shows what it is.

Belongs here: putting comments on, and the words that no contract says. Does not: contracts, which come first
(`transforms/contracts.py`), and what a table is (`describe.py`).
Surprise: a word means the same in every table, so a column is explained by its name unless its table's contract does.
A test holds that none is missing, on the tables of a real run.
"""

from __future__ import annotations

import duckdb

from assets import describe
from assets.ops import COLUMNS
from transforms.contracts import TABLES

DLT_TABLE = "dlt's own book-keeping of loads and schemas"
DLT_COLUMN = "dlt's own"
RAW = {
    "contact": "People as the source sent them, one row each, newest version.",
    "organisation": "Companies as the source sent them, one row each, newest version.",
    "client": "Clients of HaloPSA as the last walk read them.",
    "site": "Sites of HaloPSA as the last walk read them.",
    "user": "Users of HaloPSA as the last walk read them.",
    "quarantine": "Rows that could not be read, each with reason and remedy; halosync replay reads them again.",
}
OPS = {
    "decision": "What stewards decided on pairs of records, as this run was handed it.",
    "golden_id": "Golden ids that exist or existed, as this run was handed them by the ledger.",
    "registry": "Which record had which golden id before this run, by the ledger.",
    "lock": "Values that a steward locked, as this run was handed them.",
    "made_from": "What the tables were made from: models, rules, code; another mark makes the next run a full one.",
    "reference_value": "Listed values that identify nobody: free-mail hosts, placeholder numbers.",
    "run_moment": "The moment of this run, and what kind of run it is.",
}
CHANGES = {"head": "The newest committed state of each golden record, by the ledger; what this run is compared to."}
WORDS = {
    "archive_seq": "number of the payload in the archive; larger is later",
    "blocks": "how many blocks the rule made",
    "born": "date of birth, as it is compared",
    "bucket": "how common the value is, 1 the most common; evidence weighs by it",
    "clean_rids": "unchanged records in the block",
    "cells": "golden cells",
    "cluster_key": "the least record_key of the cluster, its name until it has a golden id",
    "cluster_rid": "number of the least record of the cluster",
    "component": "number of the connected component: the least rid in it",
    "contacts": "how many golden contacts",
    "day": "the day (UTC)",
    "dirty_rids": "changed records in the block, whose pairs are made again",
    "disputed": "of them those on which another source said something else",
    "email": "e-mail address",
    "employer": "employer's name, as it is compared",
    "external": "external_id, as it is compared",
    "fetched_at": "when it was read (UTC)",
    "fingerprint": "digest of models, rules and code",
    "first": "given name, as it is compared",
    "first_rid": "number of the first record that says the same",
    "first_seq": "commit in which the golden id was born, 0 before the first",
    "former_golden_id": "golden id the record had before this run",
    "golden_id": "id of the golden record; it stays",
    "golden_records": "golden records the source is part of",
    "halo_state": "where its newest version stands on the way to HaloPSA",
    "high": "upper end of the 95 % interval",
    "id": "id of the row at its source",
    "initials": "with how many different initials of surnames the value occurs, at most 100",
    "inside": "how many of the pairs lie inside one cluster",
    "is_decided": "a steward decided on this record",
    "is_dirty": "the record changed, so its pairs are made again",
    "is_generic": "a value of many owners (switchboard, shared mailbox): no evidence",
    "is_gone": "the record is no more at its source",
    "is_incremental": "the run builds on standing tables",
    "is_live": "the golden record exists today",
    "is_present": "the record was at its source in the last run",
    "is_same": "true: the same; false: not the same",
    "is_sample": "drawn at random, to learn what chance agreement looks like",
    "is_skipped": "too large, and no further key splits it: counted, not compared",
    "is_split": "part of a block that was too large",
    "is_training": "the run learns a model",
    "judged_as": "number of the record it is judged as: itself, or the first of its copies",
    "key": "what the records of a block share",
    "l": "number (rid) of the first record of the pair",
    "last": "family name, as it is compared",
    "linkedin": "end of the profile's address, as it is compared",
    "local": "part of the e-mail address before the @, as it is compared",
    "locks": "values a steward locked for this record, as JSON",
    "low": "lower end of the 95 % interval",
    "mail_domain": "domain of the e-mail address; null where it names no employer",
    "measure": "precision or recall",
    "met_share": "share of the true pairs that blocking brought together",
    "middle": "middle name, as it is compared",
    "never_met_milli": "what it says of two records that blocking never brought together, milli-bits",
    "only_here": "of them those that no other source has",
    "organisation": "cluster of the employer",
    "other_id": "the other golden record it is about",
    "pairs": "how many pairs",
    "part": "which part of a split block; empty where it is whole",
    "pattern": "outcome of every comparison as one integer, four bits a feature",
    "payload": "the row as the source sent it, JSON text",
    "points": "what sharing this block says; a pair needs four",
    "probability": "that the two are one, 0 to 1, from the weight and its calibration",
    "r": "number (rid) of the second record of the pair",
    "record_key_l": "key of the first record of the pair",
    "record_key_r": "key of the second record of the pair",
    "records_max": "records in the largest block",
    "refine": "further key by which a too large block is split",
    "run_at": "moment of the run (UTC)",
    "site": "web domain, as it is compared",
    "skipped_blocks": "blocks too large to compare",
    "skipped_pairs": "pairs inside them: the most that skipping may cost",
    "source_high": "source of the pair's records, the later by alphabet",
    "source_low": "source of the pair's records, the earlier by alphabet",
    "split_blocks": "blocks that were split by a further key",
    "stamp": "version of the row at its source, as the source tells it",
    "suffix": "Jr, Sr, III, as it is compared",
    "title": "job title, as it is compared",
    "weight": "evidence that the two are one, milli-bits (log2 of the likelihood ratio); beyond 10^12 somebody decided",
}
# A word of the ledger that means something else before records reach it.
SCHEMA_WORDS = {
    ("raw", "reason"): "why the row could not be read",
    ("raw", "remedy"): "what would mend it",
    ("resolved", "records"): "how many records",
    ("answers", "losers"): "how many other sources said something else",
    ("answers", "record_count"): "source records of the golden record",
    ("answers", "organisation_name"): "name of the golden organisation",
    ("answers", "sources"): "the sources it has, by name",
    ("ops", "seq"): "order in which it was locked",
    ("previous", "seq"): "order in which it was locked",
    ("ops", "kind"): "what sort of value, run or work item it is",
}


def table_comment(schema: str, table: str) -> str | None:
    """What a table is; None where nobody says."""
    base, name = _base(schema), f"{schema}.{table}"
    if table.startswith("_dlt"):
        return DLT_TABLE
    if base == "raw":
        waiting = " On its way into the raw table; empty between loads." if schema.endswith("_staging") else ""
        return RAW[table] + waiting if table in RAW else None
    if base == "previous":
        return "As the run before left it: what changed is found against it."
    if base == "changes" and (text := CHANGES.get(table.rpartition("_")[2])):
        return text
    if base == "ops":
        entity, _, rest = table.partition("_")
        return OPS.get(table) or (OPS.get(rest) if entity in ("contact", "organisation") else None)
    try:
        return describe.description(name)
    except KeyError:
        return None


def column_comment(schema: str, table: str, column: str) -> str | None:
    """What a column holds; None where nobody says."""
    if column.startswith("_dlt") or table.startswith("_dlt"):
        return DLT_COLUMN
    contract = TABLES.get(f"{schema}.{table}")
    own = {one.name: one.comment for one in contract.columns} if contract else {}
    return (
        own.get(column)
        or SCHEMA_WORDS.get((_base(schema), column))
        or (COLUMNS.get(column) if schema == "ops" else None)
        or WORDS.get(column)
        or _IN_CONTRACTS.get(column)
        or COLUMNS.get(column)
    )


def put_on(connection: duckdb.DuckDBPyConnection) -> None:
    """Comment every table and column that has no comment of its own."""
    found = connection.execute(
        "select schema_name, table_name, column_name, comment from duckdb_columns() where not internal"
    ).fetchall()
    bare = connection.execute(
        "select 'table', schema_name, table_name from duckdb_tables() where comment is null union all "
        "select 'view', schema_name, view_name from duckdb_views() where comment is null and not internal"
    ).fetchall()
    for kind, schema, table in bare:
        if text := table_comment(schema, table):
            connection.execute(f'comment on {kind} "{schema}"."{table}" is {_quoted(text)}')
    for schema, table, column, comment in found:
        if comment is None and (text := column_comment(schema, table, column)):
            connection.execute(f'comment on column "{schema}"."{table}"."{column}" is {_quoted(text)}')


def dictionary(connection: duckdb.DuckDBPyConnection) -> str:
    """The data dictionary of what analysts use, as Markdown, from the comments in the file."""
    tables = connection.execute(
        "select schema_name, table_name, comment from duckdb_tables() union all "
        "select schema_name, view_name, comment from duckdb_views() where not internal order by all"
    ).fetchall()
    columns = connection.execute(
        "select schema_name, table_name, column_name, lower(data_type), comment from duckdb_columns() "
        "where not internal order by schema_name, table_name, column_index"
    ).fetchall()
    lines = [_HEAD]
    for schema, table, comment in tables:
        if schema.endswith("_staging") or schema == "previous" or table.startswith("_dlt"):
            continue
        lines += [f"\n## {schema}.{table}\n", comment or "", "", "| column | type | holds |", "|---|---|---|"]
        own = [row for row in columns if row[:2] == (schema, table) and not row[2].startswith("_dlt")]
        lines += [
            f"| `{name}` | {kind} | {(text or '').replace('|', chr(92) + '|')} |" for _, _, name, kind, text in own
        ]
    return "\n".join(lines) + "\n"


_HEAD = """# Data dictionary

Every table of `inspect.duckdb` (and of the warehouse, which a run locks), from the comments in the file itself; this
page is made by a test. Left out: `previous` and `…_staging` (what a run needs of the one before), dlt's own tables."""
_IN_CONTRACTS = {column.name: column.comment for table in TABLES.values() for column in table.columns}


def _base(schema: str) -> str:
    return "raw" if schema.startswith("raw_") else schema


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
