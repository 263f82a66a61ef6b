"""`halosync VERB …`: parse, dispatch, exit code.

Belongs here: verbs, flags and help. Does not: what a verb does (one module each, imported when called, so that `--help`
answers at once). Surprise: with `--json` stdout carries one object and nothing else; all talk goes to stderr.
"""

from __future__ import annotations

import argparse
import importlib
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from orchestration.exits import Exit, Stop, defect
from orchestration.lean import keep_pandas_away


@dataclass(frozen=True)
class Verb:
    """A verb: its module has `add_arguments(parser)` and `run(arguments) -> Exit`."""

    module: str
    help: str
    is_lean: bool = False  # starts without pandas


VERBS = {
    "demo": Verb("orchestration.demo", "the whole path on simulated vendors and a simulated HaloPSA"),
    "test": Verb("orchestration.verify", "the whole default test run; further arguments go to pytest"),
    "run": Verb("orchestration.run", "the full path on the configured vendors and exports"),
    "plan": Verb("orchestration.plan", "what publishing would do to HaloPSA, field by field; writes nothing there"),
    "apply": Verb("orchestration.apply", "do exactly what a plan says, once; what drifted is left alone and listed"),
    "publish": Verb("orchestration.publish", "plan and apply in one, unless the guard objects"),
    "ui": Verb("orchestration.ui", "the Dagster UI on loopback, ready to materialise"),
    "check": Verb("orchestration.check", "definitions load, settings valid, contracts consistent; writes nothing"),
    "connect": Verb("orchestration.connect", "whether an account works, by free calls, and five of its rows, masked"),
    "credits": Verb(
        "orchestration.credits", "what each vendor cost by day and per verified contact; what is left today"
    ),
    "resolve": Verb("orchestration.resolve", "match any table of records (CSV or Parquet)", is_lean=True),
    "why": Verb(
        "orchestration.why", "the evidence for or against a pair, or the whole story of a golden record", is_lean=True
    ),
    "reconcile": Verb("orchestration.reconcile", "all of HaloPSA compared with the ledger, and repaired by rule"),
    "doctor": Verb("orchestration.doctor", "what ails this installation and what to do about it; repairs nothing"),
    "alerts": Verb("orchestration.alerts", "what is wrong since when; told once when it begins and once when over"),
    "backup": Verb("orchestration.backup", "ledger and archive into a folder, with a receipt; runs may go on"),
    "restore": Verb("orchestration.restore", "a backup put back; the next publishing waits for reconcile"),
    "simulate": Verb("orchestration.simulate", "one vendor, or HaloPSA, simulated on loopback; needs no account"),
    "up": Verb("orchestration.up", "service, Dagster UI and daemon together, schedules running; Ctrl-C ends all"),
    "serve": Verb("orchestration.serve", "the HTTP service: the feed for pollers, on loopback"),
    "keys": Verb("orchestration.keys", "API keys of the HTTP service: add, list, revoke"),
    "poll": Verb("orchestration.poll", "a poller that shows how: follow a feed into a file"),
    "bench": Verb("orchestration.bench", "benchmarks beside other tools; each leaves receipts under data/bench"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb; the return value is the exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    name = arguments[0] if arguments and not arguments[0].startswith("-") else None
    try:
        if name is None or name not in VERBS:
            _overview().parse_args(arguments)  # --help, or an error that names the verbs
            _overview().print_help(sys.stderr)
            return Exit.USAGE
        with _ended_by_sigterm():
            return _run(name, arguments[1:])
    except Stop as stop:
        print(stop, file=sys.stderr)
        return stop.code
    except KeyboardInterrupt as interrupt:
        print("Stopped. What was done is kept; the next run goes on from there.", file=sys.stderr)
        return 128 + (signal.SIGTERM if isinstance(interrupt, _Terminated) else signal.SIGINT)
    except Exception as error:  # noqa: BLE001  (the last net: one line instead of a traceback with record values)
        return defect(error)


class _Terminated(KeyboardInterrupt):
    """SIGTERM came."""


@contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    """Let SIGTERM unwind a verb as Ctrl-C does: a plan's private copy of the ledger must not stay behind in the
    temporary folder, and the run book must say how the run ended. Verbs that serve set handlers of their own."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def terminate(*_: object) -> None:
        raise _Terminated

    before = signal.signal(signal.SIGTERM, terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _run(name: str, arguments: list[str]) -> int:
    verb = VERBS[name]
    if verb.is_lean:
        keep_pandas_away()  # before the module's own imports, which make Arrow arrays
    module = importlib.import_module(verb.module)
    parser = argparse.ArgumentParser(prog=f"halosync {name}", description=(module.__doc__ or "").splitlines()[0])
    module.add_arguments(parser)
    if name == "test":
        known, rest = parser.parse_known_args(arguments)
        known.pytest_args = rest
        return module.run(known)
    return module.run(parser.parse_args(arguments))


def _overview() -> argparse.ArgumentParser:
    lines = "\n".join(f"  {name:<10}{verb.help}" for name, verb in VERBS.items())
    parser = argparse.ArgumentParser(
        prog="halosync",
        description="One clean, deduplicated, current set of organisations and contacts for HaloPSA.",
        epilog=f"verbs:\n{lines}\n\n`halosync VERB --help` tells more of each.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("verb", nargs="?", choices=VERBS, metavar="VERB", help="one of the verbs below")
    return parser


if __name__ == "__main__":
    sys.exit(main())
