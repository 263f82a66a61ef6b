"""Asset checks made from the table contracts.

Belongs here: turning a contract into a blocking check. Does not: what the contract says (`transforms/contracts.py`).
Surprise: these checks are blocking. When one fails, nothing downstream of its table runs in that time, so a broken
golden table reaches neither the feed nor HaloPSA.
"""

import dagster as dg
import duckdb

from assets.common import POOL
from assets.runtime import Runtime
from transforms.contracts import TABLES, Table

CHECKED = (
    "standardised.contact",
    "standardised.organisation",
    "golden.contact",
    "golden.organisation",
    "golden.crosswalk",
)
# A run that would retire more than this share of an entity is held: a source that shrank, a key that changed, a bad
# model. Below RETIRED_ROWS_FREE rows a share says nothing.
RETIRED_SHARE_MAX = 0.05
RETIRED_ROWS_FREE = 20


def contract_check(table: Table) -> dg.AssetChecksDefinition:
    """Key unique, required columns filled."""

    @dg.asset_check(
        asset=dg.AssetKey(table.name.split(".")),
        name="contract",
        blocking=True,
        description=f"({', '.join(table.key)}) is unique and required columns are filled.",
        pool=POOL,
        required_resource_keys={"runtime"},
    )
    def contract(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
        runtime: Runtime = context.resources.runtime
        with runtime.connect() as connection:
            found = breaches_of(connection, table)
        text = "; ".join(found) or "nothing to object to"
        return dg.AssetCheckResult(
            passed=not found, metadata={"expected": "0 breaches", "found": text, "breaches": len(found)}
        )

    return contract


def breaches_of(connection: duckdb.DuckDBPyConnection, table: Table) -> list[str]:
    """What a table breaks of its contract: counts and column names, never values."""
    keys = ", ".join(table.key)
    required = [column.name for column in table.columns if column.required]
    empty = ", ".join(f"count(*) filter (where {name} is null)" for name in required)
    rows, distinct, *missing = connection.execute(
        f"select count(*), count(distinct ({keys})), {empty} from {table.name}"
    ).fetchall()[0]
    found = [f"{rows - distinct:,} of {rows:,} rows repeat the key ({keys})"] if rows != distinct else []
    found += [f"{count:,} rows without {name}" for name, count in zip(required, missing, strict=True) if count]
    return found


def retired_share_check(entity: str) -> dg.AssetChecksDefinition:
    """The blast-radius guard: how much of what is published would go."""

    @dg.asset_check(
        asset=dg.AssetKey(["changes", f"{entity}_change"]),
        name="retired_share",
        blocking=True,
        description=f"At most {RETIRED_SHARE_MAX:.0%} of the live {entity} records are retired in one run."
        " Held beyond that: a source shrank, a key changed, or the matching went wrong.",
        pool=POOL,
        required_resource_keys={"runtime"},
    )
    def retired_share(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
        runtime: Runtime = context.resources.runtime
        with runtime.connect() as connection:
            row = connection.execute(
                f"select (select count(*) from changes.{entity}_change where change_kind = 'retired'), "
                f"(select count(*) from changes.{entity}_head)"
            ).fetchone()
        retired, live = row or (0, 0)
        passed = retired <= RETIRED_ROWS_FREE or retired <= live * RETIRED_SHARE_MAX
        found = f"{retired:,} of {live:,} {entity} records would be retired (guard {RETIRED_SHARE_MAX:.0%})"
        expected = f"at most {RETIRED_SHARE_MAX:.0%} of them, or {RETIRED_ROWS_FREE} records"
        return dg.AssetCheckResult(passed=passed, metadata={"expected": expected, "found": found, "retired": retired})

    return retired_share


def all_checks() -> list[dg.AssetChecksDefinition]:
    """Every check there is."""
    contracts = [contract_check(TABLES[name]) for name in CHECKED]
    return [*contracts, retired_share_check("organisation"), retired_share_check("contact")]
