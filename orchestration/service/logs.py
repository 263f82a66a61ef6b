"""The service's log: one JSON object a line on stderr.

Belongs here: the form of a line. Does not: what is logged (`shield.py`, `errors.py`).
Surprise: only names listed here leave; a value of a record cannot slip in with an exception's text.
"""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime

_TOLD = ("request_id", "method", "route", "status", "ms", "key_id", "error", "place", "source", "count")


class JsonLine(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line = {"at": at, "level": record.levelname.lower(), "event": record.getMessage()}
        line |= {name: value for name in _TOLD if (value := getattr(record, name, None)) is not None}
        return json.dumps(line, ensure_ascii=False)


def to_stderr() -> None:
    """Send halosync's own log to stderr; libraries keep quiet but for errors."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLine())
    log = logging.getLogger("halosync")
    log.handlers, log.propagate = [handler], False
    log.setLevel(logging.INFO)
