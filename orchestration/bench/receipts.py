"""Receipts: one JSON file for one finished measurement, found again when nothing that matters has changed.

Belongs here: keys, the files, fingerprints of code and data. Does not: what is measured (each bench).
Surprise: code is told apart by a digest of its files and not by its commit, so that an edit that is not committed yet
counts and a commit that touches only docs does not; the commit is noted beside it for the reader.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import subprocess
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from orchestration.exits import Exit, Stop
from orchestration.settings import PROJECT_ROOT

SCHEMA_VERSION = 1


class Receipts:
    """The receipts of one bench in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def find(self, name: str, key: dict[str, Any]) -> dict[str, Any] | None:
        """The receipt of that name, if it was made for exactly this key.

        Raises:
            Stop: the file is there and is no receipt (exit 2).
        """
        path = self._path(name)
        if not path.exists():
            return None
        try:
            receipt = json.loads(path.read_text("utf-8"))
            known = receipt["key"]
        except (ValueError, KeyError, TypeError):
            raise Stop(f"{path} is no receipt of a bench; move it away and run again.", Exit.USAGE) from None
        return receipt if known == key else None

    def keep(self, name: str, key: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
        """Write a receipt, whole or not at all; it says where and when it was made."""
        receipt = {
            "schema_version": SCHEMA_VERSION,
            "name": name,
            "key": key,
            "commit": commit(),
            "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "machine": {"cores": os.cpu_count(), "python": platform.python_version(), "system": platform.system()},
            **body,
        }
        draft = self._path(name).with_suffix(".part")
        draft.write_text(json.dumps(receipt, indent=1, ensure_ascii=False) + "\n", "utf-8")
        draft.replace(self._path(name))
        return receipt

    def once(self, name: str, key: dict[str, Any], measure: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """The receipt of that name and key; measured now where there is none, so that a bench goes on where it was."""
        return self.find(name, key) or self.keep(name, key, measure())

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}.json"


def commit() -> str | None:
    """The commit that is checked out, with `+` where files differ from it; None outside a checkout."""
    git = ["git", "-C", str(PROJECT_ROOT)]
    head = subprocess.run([*git, "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True, check=False)
    if head.returncode:
        return None
    changed = subprocess.run([*git, "status", "--porcelain"], capture_output=True, text=True, check=True).stdout
    return head.stdout.strip() + ("+" if changed else "")


def fingerprint(paths: Iterable[Path]) -> str:
    """A digest of files by name and content; of a folder all files, compiled ones left out."""
    digest = hashlib.sha256()
    for path in paths:
        files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
        for file in sorted(file for file in files if "__pycache__" not in file.parts):
            name = file.name if file == path else file.relative_to(path).as_posix()
            with file.open("rb") as stream:
                content = hashlib.file_digest(stream, "sha256").hexdigest()
            digest.update(f"{name}\0{content}\n".encode())
    return digest.hexdigest()[:16]
