"""Opening a HaloPSA account and its ledger for a verb, and turning their errors into exit codes.

Belongs here: what `run`, `plan`, `apply` and `publish` have in common before and around their work. Does not: the work
(assets/publishing). Surprise: keys that are refused are a mistake of the settings (exit 2); a HaloPSA that is merely
down is not (exit 3).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar
from uuid import uuid4

from assets.publishing import runs
from assets.publishing.applying import Held
from assets.publishing.ledger import LedgerBusy, LedgerError
from assets.publishing.planfile import PlanError
from assets.publishing.rules import Rules, demo_rules
from assets.publishing.session import PublishResult
from assets.runtime import Runtime
from sources.halopsa.client import HaloClient
from sources.http import BadRequest, Forbidden, Unauthorised, VendorError

from orchestration import settings as settings_module
from orchestration.exits import Exit, Stop
from orchestration.progress import Display
from orchestration.resources import build_runtime
from orchestration.settings import SettingsError

Result = TypeVar("Result")
KIND = "publish"  # of a run in the run book


def sign_in(runtime: Runtime, *, advice: str) -> None:
    """Raises `Stop` where HaloPSA is there and refuses our settings (exit 2)."""
    try:
        halo_of(runtime).session.check()
    except (BadRequest, Forbidden, Unauthorised) as error:
        raise Stop(f"{error}. {advice}", Exit.USAGE) from error
    except VendorError:
        return  # down for the moment: the work meets it again, with more patience, and says so


@contextmanager
def opened(display: Display, *, why: str) -> Iterator[Runtime]:
    """A runtime whose HaloPSA is configured and takes our keys; errors inside become one line and an exit code.

    Raises:
        Stop: as the table in docs/interface.md says.
    """
    try:
        settings = settings_module.load()
        settings.require("halopsa", why=why)
        settings.prepare()
        runtime = build_runtime(settings, only=[], progress=display)
        sign_in(runtime, advice="Nothing was done.")
        yield runtime
    except (SettingsError, PlanError) as error:
        raise Stop(str(error), Exit.USAGE) from error
    except Held as error:
        raise Stop(str(error), Exit.HELD) from error
    except LedgerBusy as error:
        raise Stop(str(error), Exit.BUSY) from error
    except LedgerError as error:
        raise Stop(str(error), Exit.USAGE) from error
    except VendorError as error:
        raise Stop(f"{error}. Nothing was done; try again when HaloPSA answers.", Exit.PARTIAL) from error


def halo_of(runtime: Runtime) -> HaloClient:
    assert runtime.halo is not None, "HaloPSA is configured; settings.require has seen to it"
    return runtime.halo


def rules_of(runtime: Runtime) -> Rules:
    return runtime.publishing or demo_rules()


def in_the_run_book(
    runtime: Runtime, work: Callable[[str], Result], result_of: Callable[[Result], PublishResult]
) -> Result:
    """Do `work` (it is given a run id) between the two entries of the run book."""
    run_id = str(uuid4())
    runs.begin(runtime.ledger, runtime.clock, run_id=run_id, kind=KIND)
    try:
        done = work(run_id)
    except BaseException as error:
        state = "held" if isinstance(error, Held) else "failed"
        runs.end(runtime.ledger, runtime.clock, run_id=run_id, state=state, summary={})
        raise
    result = result_of(done)
    state = "partial" if result.problems else "done"
    runs.end(runtime.ledger, runtime.clock, run_id=run_id, state=state, summary=counts_of(result))
    return done


def counts_of(result: PublishResult) -> dict[str, int]:
    """What a run did and where it left the golden records, for `--json` and the run book."""
    names = ("created", "updated", "retired", "unchanged", "held", "suppressed", "rejected", "unknown", "remaining")
    return {name: getattr(result, name) for name in names}
