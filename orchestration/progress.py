"""How a run shows on a terminal, and how long each step took.

Belongs here: the live line and the stop-watch. Does not: the summary (`summary.py`).
Surprise: off a terminal (CI, a pipe, cron) one line per step is printed when it ends, so that a log stays readable.
"""

from __future__ import annotations

import sys
import time

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars


class Display:
    """A progress display on stderr; `steps` holds wall seconds by step, in order."""

    def __init__(self, *, quiet: bool = False) -> None:
        self.steps: dict[str, float] = {}
        self._started: dict[str, float] = {}
        self._quiet = quiet
        self._console = Console(file=sys.stderr)
        self._live = self._console.is_terminal and not quiet
        self._bars = Bars(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self._console,
            transient=True,
            disable=not self._live,
        )
        self._task = self._bars.add_task("starting", total=None)

    def __enter__(self) -> Display:
        self._bars.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._bars.stop()

    def start(self, step: str) -> None:
        self._started[step] = time.perf_counter()
        self._bars.reset(self._task, description=step, total=None)

    def advance(self, done: int, total: int | None = None) -> None:
        self._bars.update(self._task, completed=done, total=total)

    def finish(self, step: str, *, is_done: bool) -> None:
        seconds = time.perf_counter() - self._started.pop(step)
        self.steps[step] = round(self.steps.get(step, 0.0) + seconds, 3)
        if not self._quiet and (seconds >= 1.0 or not self._live or not is_done):
            mark = "[green]✓[/green]" if is_done else "[red]✗[/red]"
            self._console.print(f"{mark} {step} [dim]{seconds:.1f} s[/dim]", highlight=False)
