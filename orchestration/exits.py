"""Exit codes, and how an error of ours becomes one line and one code.

Belongs here: the table of `docs/interface.md`. Does not: raising (each room raises its own errors).
Surprise: an unexpected exception is exit 1 with its type and place, and the whole traceback only with HALOSYNC_DEBUG=1,
because a traceback can hold a value of a record.
"""

from __future__ import annotations

import os
import sys
import traceback
from enum import IntEnum


class Exit(IntEnum):
    DONE = 0
    DEFECT = 1
    USAGE = 2
    PARTIAL = 3
    HELD = 4
    BUSY = 5


class Stop(Exception):
    """Ends a verb with one line and an exit code."""

    def __init__(self, text: str, code: Exit) -> None:
        super().__init__(text)
        self.code = code


def defect(error: BaseException) -> Exit:
    """Say where an unexpected failure happened, without its values."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{frames[-1].filename.rsplit('/', 1)[-1]}:{frames[-1].lineno}" if frames else "unknown place"
    print(f"Defect: {type(error).__name__} at {place}. Set HALOSYNC_DEBUG=1 for the traceback.", file=sys.stderr)
    if os.environ.get("HALOSYNC_DEBUG") == "1":
        traceback.print_exception(error)
    return Exit.DEFECT
