"""A poller that shows how: follow a feed into a SQLite file, and never lose a place.

Belongs here: correct client behaviour, for use and for reading: page by page, records and place in one transaction,
waiting as long as the server asks. Does not: HaloPSA. Surprise: the place is saved together with the records of its
page, so that dying anywhere repeats a page at most, and a page said twice says the same.
"""

from __future__ import annotations

import argparse
import json
import os
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import requests
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt

from orchestration.exits import Exit, Stop

ATTEMPTS = 5
WAIT_S_MAX = 600.0
KEY_VARIABLE = "HALOSYNC_KEY"
_SCHEMA = """
create table if not exists record (
    external_id text primary key, entity_type text not null, is_retired integer not null, data text not null
);
create table if not exists place (name text primary key, value text not null);
create table if not exists told (external_id text primary key);
"""


class _Later(Exception):
    """The server asks to come back; `wait_s` is how long it wants to be left alone."""

    def __init__(self, message: str, wait_s: float) -> None:
        super().__init__(message)
        self.wait_s = wait_s


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("url", help="a route of the feed, such as http://127.0.0.1:8750/halo-integrator/sync")
    parser.add_argument("--into", type=Path, required=True, metavar="FILE", help="SQLite file of records and place")
    parser.add_argument("--limit", type=int, default=100, help="records a page (default 100)")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    parser.epilog = f"The key is read from the environment: {KEY_VARIABLE}=hs_…"


def run(arguments: argparse.Namespace) -> Exit:
    key = os.environ.get(KEY_VARIABLE)
    if not key:
        raise Stop(f"{KEY_VARIABLE} is not set; make a key: halosync keys add NAME --scope feed:read.", Exit.USAGE)
    with closing(opened(arguments.into)) as store, requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {key}"
        session.trust_env = False
        told = follow(session, arguments.url, store, limit=arguments.limit)
    print(json.dumps({"schema_version": 1, **told}) if arguments.json else _sentence(told))
    return Exit.DONE


def opened(path: Path) -> sqlite3.Connection:
    """Raises Stop where the file cannot be used (exit 2)."""
    try:
        store = sqlite3.connect(path, isolation_level=None)
        store.executescript(_SCHEMA)
    except sqlite3.Error as error:
        raise Stop(f"{path} cannot be used: {error}. Give a new file, or one that `poll` made.", Exit.USAGE) from error
    return store


def follow(session: requests.Session, url: str, store: sqlite3.Connection, *, limit: int) -> dict[str, Any]:
    """Read everything that is new and apply it; returns counts.

    Raises:
        Stop: the server refuses (exit 2), or does not answer after all patience (exit 3).
    """
    told = {"pages": 0, "upserts": 0, "deletes": 0}
    for answer in _pages(session, url, store, limit):
        records = answer["records"]
        with store:
            store.execute("begin immediate")
            store.executemany(
                "insert or replace into record values (?, ?, ?, ?)",
                [
                    (one["external_id"], one["entity_type"], one["action"] == "delete", json.dumps(one["data"]))
                    for one in records
                ],
            )
            if answer["metadata"]["sync_type"] == "full_resync":
                _resync(store, answer)
            store.execute("insert or replace into place values ('last_sync', ?)", (answer["last_sync_timestamp"],))
        deletes = sum(one["action"] == "delete" for one in records)
        told = {"pages": told["pages"] + 1, "upserts": told["upserts"] + len(records) - deletes,
                "deletes": told["deletes"] + deletes}  # fmt: skip
    return told | {"last_sync": _place(store)}


def _resync(store: sqlite3.Connection, answer: dict[str, Any]) -> None:
    """Deletes older than 90 days are told no more: what a whole resync does not name has gone."""
    snapshot = answer["metadata"]["snapshot"]
    known = store.execute("select value from place where name = 'resync'").fetchone()
    if known != (snapshot,):
        store.execute("delete from told")
        store.execute("insert or replace into place values ('resync', ?)", (snapshot,))
    store.executemany("insert or ignore into told values (?)", [(one["external_id"],) for one in answer["records"]])
    if not answer["metadata"]["has_more"]:
        store.execute("update record set is_retired = 1 where external_id not in (select external_id from told)")
        store.execute("delete from told")


def _pages(session: requests.Session, url: str, store: sqlite3.Connection, limit: int) -> Iterator[dict[str, Any]]:
    while True:
        parameters = {"limit": str(limit)} | ({"last_sync": place} if (place := _place(store)) else {})
        answer = _patiently(session, url, parameters)
        yield answer
        if not answer["metadata"]["has_more"]:
            return


def _patiently(session: requests.Session, url: str, parameters: dict[str, str]) -> dict[str, Any]:
    patience = Retrying(
        retry=retry_if_exception_type(_Later), stop=stop_after_attempt(ATTEMPTS), wait=_wait_s, reraise=True
    )
    try:
        return patience(_ask, session, url, parameters)
    except _Later as error:
        raise Stop(f"{error} What was read is kept; the next poll goes on from there.", Exit.PARTIAL) from error


def _ask(session: requests.Session, url: str, parameters: dict[str, str]) -> dict[str, Any]:
    try:
        response = session.get(url, params=parameters, timeout=30)
    except (requests.ConnectionError, requests.Timeout) as error:
        raise _Later("The feed does not answer.", 5.0) from error
    except requests.RequestException as error:
        raise Stop(f"This is no address of a feed: {type(error).__name__}.", Exit.USAGE) from error
    if response.status_code == 429 or response.status_code >= 500:
        raise _Later(f"The feed answered {response.status_code}.", _asked_s(response))
    if response.status_code != 200:
        raise Stop(f"The feed refuses ({response.status_code}): {_message(response)}", Exit.USAGE)
    answer = response.json()
    assert isinstance(answer, dict)
    return answer


def _wait_s(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    wait_s = error.wait_s if isinstance(error, _Later) else 5.0
    print(f"{error} Asking again in {wait_s:g} s.", file=sys.stderr)
    return wait_s


def _asked_s(response: requests.Response) -> float:
    text = response.headers.get("Retry-After", "")
    return min(float(text), WAIT_S_MAX) if text.isdigit() else 5.0


def _message(response: requests.Response) -> str:
    try:
        return str(response.json()["message"])
    except (ValueError, KeyError, TypeError):
        return "no reason given"


def _place(store: sqlite3.Connection) -> str | None:
    row = store.execute("select value from place where name = 'last_sync'").fetchone()
    return None if row is None else str(row[0])


def _sentence(told: dict[str, Any]) -> str:
    return f"{told['upserts']} records, {told['deletes']} retired, in {told['pages']} pages; up to {told['last_sync']}."
