"""An environment of its own for each peer, made on demand from a requirements file with pinned versions and hashes.

Belongs here: making it, knowing whether it is still the right one. Does not: what runs in it (peers/*.py).
Surprise: peers never share halosync's environment: they want other versions of the same libraries.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

from orchestration.bench.receipts import fingerprint

PEERS = Path(__file__).parent / "peers"


class NotInstalled(Exception):
    """A peer's environment could not be made; the text says why, in one line."""


def requirements(package: str) -> Path:
    return PEERS / f"{package}.txt"


def version(package: str) -> str:
    """The version that the requirements pin."""
    pinned = re.search(rf"^{package}(?:\[[^\]]*\])?==(\S+)", requirements(package).read_text("utf-8"), re.MULTILINE)
    assert pinned, f"{package} is not pinned in its own requirements"
    return pinned.group(1)


def interpreter(package: str, root: Path) -> Path:
    """The Python of that package's environment under `root`, made now if it is missing or outdated.

    Raises:
        NotInstalled: the package index does not answer, or has no such version for this machine.
    """
    folder = root / package
    python, stamp = folder / "bin" / "python", folder / "bench.stamp"
    wanted = f"{fingerprint([requirements(package)])} {sys.version}"
    if stamp.exists() and python.exists() and stamp.read_text() == wanted:
        return python
    _run([sys.executable, "-m", "venv", "--clear", *_without_pip(), str(folder)], package)
    locked = ["--quiet", "--require-hashes", "-r", str(requirements(package))]
    uv = _uv()
    installer = [uv, "pip", "install", "--python", str(python)] if uv else [str(python), "-m", "pip", "install"]
    _run([*installer, *locked], package)
    stamp.write_text(wanted)
    return python


def _uv() -> str | None:
    beside = Path(sys.executable).with_name("uv")
    return str(beside) if beside.exists() else shutil.which("uv")


def _without_pip() -> list[str]:
    return ["--without-pip"] if _uv() else []


def _run(command: list[str], package: str) -> None:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = [line.strip() for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        reason = next((line for line in lines if "warning" not in line.lower()), f"exit code {done.returncode}")
        raise NotInstalled(f"{package} {version(package)} cannot be installed: {reason}")
