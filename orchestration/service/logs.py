"""The service's log: one JSON object a line on stderr.

Belongs here: the form of a line. Does not: what is logged (`shield.py`, `errors.py`).
Surprise: only names listed here leave; a value of a record cannot slip in with an exception's text.
"""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime

_encode = json.JSONEncoder(ensure_ascii=False).encode
_TOLD = ("request_id", "method", "route", "status", "ms", "key_id", "error", "place", "source", "count", "hook_id")


class JsonLine(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line = {"at": at, "level": record.levelname.lower(), "event": record.getMessage()}
        given = record.__dict__
        for name in _TOLD:
            if given.get(name) is not None:
                line[name] = given[name]
        return _encode(line)


def to_stderr() -> None:
    """Send halosync's own log to stderr; libraries keep quiet but for errors."""
    # What no line tells need not be looked up for each of them.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLine())
    log = logging.getLogger("halosync")
    log.handlers, log.propagate = [handler], False
    log.setLevel(logging.INFO)
