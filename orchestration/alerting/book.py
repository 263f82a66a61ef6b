"""The book of alerts, `alerts.jsonl`: what began, what is over, and who was told.

Belongs here: one append-only file and what follows from it. Does not: what is wrong (rules.py), sending (channels.py).
Surprise: the file is a channel of its own and the memory of all others: a line `told` says up to which line one channel
has heard everything. A channel that was down is told later, in order; one that died between hearing and the line
`told` hears it twice.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from orchestration.alerting.rules import Trouble

FILE = "alerts.jsonl"
RAISED, RECOVERED = "raised", "recovered"


@dataclass(frozen=True)
class Line:
    """One alert that began or is over."""

    at: str
    event: str
    kind: str
    subject: str
    text: str
    remedy: str


class Book:
    """Used under a lock: whoever notes has read all that was noted."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lines: list[Line] = []
        self._told: dict[str, int] = {}
        if path.exists():
            self._read()

    @property
    def open(self) -> list[Line]:
        """What is wrong, the oldest first."""
        found: dict[tuple[str, str], Line] = {}
        for line in self._lines:
            if line.event == RAISED:
                found[line.kind, line.subject] = line
            else:
                found.pop((line.kind, line.subject), None)
        return list(found.values())

    def note(self, troubles: Sequence[Trouble], at: datetime) -> list[Line]:
        """Write down what began and what is over; returns it."""
        wrong = {(one.kind, one.subject): one for one in troubles}
        known = {(one.kind, one.subject): one for one in self.open}
        stamp = at.isoformat(timespec="seconds")
        new = [Line(stamp, RAISED, **asdict(one)) for name, one in wrong.items() if name not in known]
        over = [
            Line(stamp, RECOVERED, one.kind, one.subject, one.text, "")
            for name, one in known.items()
            if name not in wrong
        ]
        self._append([asdict(line) for line in (*new, *over)])
        self._lines += [*new, *over]
        return [*new, *over]

    def untold(self, channel: str) -> list[Line]:
        """What a channel has not heard. A new one hears only what is still open."""
        if not self.knows(channel):
            return self.open
        return self._lines[self._told[channel] :]

    def knows(self, channel: str) -> bool:
        return channel in self._told

    def tell(self, channel: str, at: datetime) -> None:
        """The channel has heard everything up to here."""
        self._told[channel] = len(self._lines)
        stamp = at.isoformat(timespec="seconds")
        self._append([{"at": stamp, "event": "told", "channel": channel, "lines": len(self._lines)}])

    def _read(self) -> None:
        whole = self._path.read_text(encoding="utf-8").rpartition("\n")[
            0
        ]  # a line without its end was cut off by a crash
        for text in whole.splitlines():
            found = json.loads(text)
            if found["event"] == "told":
                self._told[found["channel"]] = found["lines"]
            else:
                self._lines.append(Line(**found))

    def _append(self, lines: Sequence[dict[str, object]]) -> None:
        if not lines:
            return
        text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines).encode()
        with open(self._path, "ab", opener=_private) as file:
            whole = self._path.read_bytes().rpartition(b"\n")
            file.truncate(len(whole[0]) + len(whole[1]))
            file.write(text)
            file.flush()
            os.fsync(file.fileno())


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, mode=0o600)
