"""The Dagster definitions: all assets, checks, jobs, schedules and sensors, built by one function.

Belongs here: putting the parts together. Does not: the parts. `build_definitions(runtime=…)` takes what a test or the
demo hands in and holds the lease for; Dagster's own server imports `defs`, which is built from the environment and
takes the lease for each run.
"""

import dagster as dg
from assets.checks import all_checks
from assets.feed import integrator_feed
from assets.halopsa import halo_mirror, halopsa_publish
from assets.inspection import inspection_copy
from assets.ops import MIRRORED, made_from, ops_asset
from assets.quality import quality_assets
from assets.raw import TABLES, raw_asset
from assets.reconciliation import halopsa_reconciliation
from assets.runtime import Runtime
from assets.tables import table_assets

from orchestration import settings as settings_module
from orchestration.automation import (
    full_sync,
    nightly_quality,
    nightly_reconciliation,
    publish_drain,
    schedules,
    sensors,
)
from orchestration.lease import leased
from orchestration.resources import build_runtime


def build_definitions(*, runtime: Runtime | None = None) -> dg.Definitions:
    """Everything Dagster knows of halosync."""
    resource = dg.ResourceDefinition.hardcoded_resource(runtime) if runtime else None
    runtime = runtime or build_runtime(settings_module.load())
    return dg.Definitions(
        assets=[
            *(raw_asset(source) for source in TABLES),
            *table_assets(),
            integrator_feed,
            halo_mirror,
            halopsa_publish,
            halopsa_reconciliation,
            *(ops_asset(name, [halopsa_publish.key]) for name in MIRRORED),
            made_from,
            inspection_copy,
            *quality_assets(),
        ],
        asset_checks=all_checks(),
        jobs=[full_sync, publish_drain, nightly_quality, nightly_reconciliation],
        schedules=schedules(runtime),
        sensors=sensors(runtime),
        resources={"runtime": resource or leased(runtime)},
        # In-process: another executor would import everything again for every step (docs/decisions/0002).
        executor=dg.in_process_executor,
    )


@dg.definitions
def defs() -> dg.Definitions:
    """What Dagster's server loads (`workspace.yaml`)."""
    return build_definitions()
