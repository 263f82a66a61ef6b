"""A PostgreSQL server of the tests' own: a throw-away folder, a socket in it, nothing on the network.

Belongs here: starting and stopping it, and schemas that hold an empty ledger. Does not: which tests run on it
(conftest.py of this folder and of tests/faults).
Surprise: the server refuses to run as root, so then it runs as the user whom Debian's package makes; and nothing of it
is durable, for it only has to survive the death of our own processes. A test run that is killed takes it along.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import re
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg

from assets.publishing.ledger import Ledger

STARTS_WITHIN_S = 30.0
_NOT_DURABLE = (
    "fsync=off",
    "full_page_writes=off",
    "synchronous_commit=off",
    "listen_addresses=",
    "max_connections=60",
)
_EVERYWHERE = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)  # Debian keeps it off the PATH


def program(name: str) -> str | None:
    """Where a program of PostgreSQL's is on this machine, if it is."""
    return shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), *map(str, _EVERYWHERE)]))


def missing() -> str:
    """Why no server can be started here; '' where one can."""
    absent = [name for name in ("initdb", "postgres", "pg_dump") if program(name) is None]
    if absent:
        return f"PostgreSQL is not installed ({', '.join(absent)} missing; Debian: apt-get install postgresql)"
    if os.geteuid() == 0 and not any(user.pw_name == "postgres" for user in pwd.getpwall()):
        return "PostgreSQL refuses to run as root, and there is no user postgres"
    return ""


class Server:
    """One server, from the first call of `url_of` until `stop`."""

    def __init__(self) -> None:
        memory = Path("/dev/shm")
        self.folder = Path(tempfile.mkdtemp(prefix="hs-pg-", dir=memory if os.access(memory, os.W_OK) else None))
        self._user = "postgres" if os.geteuid() == 0 else None
        if self._user:
            shutil.chown(self.folder, self._user)
        data = self.folder / "data"
        self._run(
            "initdb", "-D", str(data), "-A", "trust", "-U", "halosync", "-E", "UTF8", "--no-sync", "--locale=C.UTF-8"
        )
        settings = [part for setting in _NOT_DURABLE for part in ("-c", setting)]
        ends_with_us = [str(program("setpriv")), "--pdeathsig", "INT"] if program("setpriv") else []
        self._process = subprocess.Popen(
            [*ends_with_us, str(program("postgres")), "-D", str(data), "-k", str(self.folder), *settings],
            user=self._user, cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self._wait()
        self._empty_ledger = self._dumped()
        self._made: set[str] = set()

    @property
    def url(self) -> str:
        return f"postgresql:///postgres?user=halosync&host={self.folder}"

    def url_of(self, place: str | Path) -> str:
        """The URL of the ledger of `place`, any text; empty and migrated at the first call."""
        schema = f"l{hashlib.sha256(str(place).encode()).hexdigest()[:16]}"
        if schema not in self._made:
            with psycopg.connect(self.url) as connection:
                connection.execute(self._empty_ledger.replace("halosync_template", schema).encode())
            self._made.add(schema)
        return f"{self.url}&options=-csearch_path%3D{schema}"

    def stop(self) -> None:
        self._process.send_signal(signal.SIGINT)  # at once, without waiting for its clients
        self._process.wait(timeout=STARTS_WITHIN_S)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _wait(self) -> None:
        give_up = time.monotonic() + STARTS_WITHIN_S
        while True:
            try:
                psycopg.connect(self.url).close()
                return
            except psycopg.OperationalError:
                if time.monotonic() > give_up:
                    raise
                time.sleep(0.05)

    def _dumped(self) -> str:
        """The statements that make a migrated ledger: an eighth of the time that migrating takes."""
        name = "halosync_template"
        with psycopg.connect(self.url) as connection:
            connection.execute(f"CREATE SCHEMA {name}")
        Ledger.open(f"{self.url}&options=-csearch_path%3D{name}", self.folder).close()
        dump = self._run("pg_dump", "-d", self.url, "-n", name, "--inserts", "--no-owner")
        return re.sub(r"^(SET|SELECT pg_catalog|--|\\).*$", "", dump, flags=re.MULTILINE)

    def _run(self, name: str, *arguments: str) -> str:
        command = [str(program(name)), *arguments]
        done = subprocess.run(command, user=self._user, cwd=self.folder, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{name} failed: {done.stderr[-500:]}")
        return done.stdout
