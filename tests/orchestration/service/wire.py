"""The service on a real socket of loopback, for tests that need a wire."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import requests
import uvicorn
from fastapi import FastAPI

from assets.publishing import keys
from tests.assets.publishing.publishing_house import House


@contextmanager
def served(app: FastAPI, house: House, *scopes: str, port: int = 0) -> Iterator[tuple[str, requests.Session]]:
    """(address, a session with a key of `scopes`, feed:read if none is named); port 0 is any that is free."""
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error", access_log=False))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    session = requests.Session()
    session.trust_env = False
    made = keys.add(house.ledger, house.clock, name="wire", scopes=scopes or ("feed:read",))
    session.headers["Authorization"] = f"Bearer {made}"
    try:
        yield f"http://127.0.0.1:{port}", session
    finally:
        session.close()
        server.should_exit = True
        thread.join(timeout=10)
