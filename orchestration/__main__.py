"""The front door: `python3 -m orchestration VERB …` on a machine that has nothing but Python.

Belongs here: making the environment `.venv` from `requirements.lock`, and going through to the real program in it.
Does not: any verb (`cli.py`). Standard library only, and `orchestration/__init__.py` stays empty, because nothing is
installed yet when this file runs.
Surprise: the environment is stamped with a digest of the lock and of the interpreter; a half-made or outdated one is
made again, and two first runs at the same moment wait for each other.
"""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
LOCK = ROOT / "requirements.lock"
STAMP = VENV / "halosync.stamp"
USAGE = 2


def main() -> None:
    if not (3, 11) <= sys.version_info[:2] <= (3, 12):
        found = ".".join(map(str, sys.version_info[:3]))
        leave(f"halosync needs Python 3.11 or 3.12; this is {found}. Try: python3.11 -m orchestration …")
    if not LOCK.exists():
        leave(f"requirements.lock is missing beside {ROOT.name}/pyproject.toml; run from a whole checkout.")
    if stamp_found() != stamp_wanted():
        make_environment()
    os.execv(PYTHON, [str(PYTHON), "-m", "orchestration.cli", *sys.argv[1:]])


def stamp_wanted() -> str:
    """A digest of everything the environment is made from."""
    parts = [LOCK.read_bytes(), (ROOT / "pyproject.toml").read_bytes(), sys.version.encode(), str(ROOT).encode()]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def stamp_found() -> str:
    return STAMP.read_text() if STAMP.exists() and PYTHON.exists() else ""


def make_environment() -> None:
    try:
        guard = (ROOT / ".venv.lock").open("w")
    except OSError as error:
        leave(f"Cannot write to {ROOT}: {error.strerror}. halosync keeps its environment in .venv there.")
    with guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        if stamp_found() == stamp_wanted():
            return  # another first run was quicker
        say("Setting up halosync's own environment in .venv (once; later starts skip this) …")
        uv = shutil.which("uv")
        if uv:
            run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(VENV)])
        else:
            uv = make_with_pip()
        say("Installing the locked packages …")
        # Compiled at once: where nobody may write bytecode, every start would compile all it imports again.
        sync = [uv, "pip", "sync", "--quiet", "--compile-bytecode", "--require-hashes", "--python", str(PYTHON)]
        run([*sync, str(LOCK)])
        own = [uv, "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--python", str(PYTHON)]
        run([*own, "--editable", str(ROOT)])
        STAMP.write_text(stamp_wanted())


def make_with_pip() -> str:
    """A venv with uv in it, where the machine has no uv; the version is the locked one."""
    try:
        import ensurepip  # noqa: F401  (Debian ships venv without it)
        import venv  # noqa: F401
    except ImportError:
        leave(
            "Python's venv is missing. On Debian or Ubuntu: apt install python3-venv. Then run the same command again."
        )
    run([sys.executable, "-m", "venv", "--clear", str(VENV)])
    pinned = re.search(r"^uv==(\S+)", LOCK.read_text(), re.MULTILINE)
    if not pinned:
        leave("requirements.lock does not pin uv; make it anew (CONTRIBUTING.md says how).")
    run([str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", f"uv=={pinned.group(1)}"])
    return str(VENV / "bin" / "uv")


def run(command: list[str]) -> None:
    done = subprocess.run(command, stdout=sys.stderr, stdin=subprocess.DEVNULL, check=False)
    if done.returncode:
        name = Path(command[0]).name
        leave(f"Setting up failed: {name} {command[1]} ended with {done.returncode} (its message is above).", code=1)


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def leave(text: str, code: int = USAGE) -> NoReturn:
    say(text)
    raise SystemExit(code)


if __name__ == "__main__":
    main()
