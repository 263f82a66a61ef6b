"""The base of all simulators: a WSGI app with routes, a fault script, a request log and durable state.

Belongs here: what every simulated vendor needs. Does not: any vendor's behaviour (its own `simulator.py`).
Surprise: the same app runs on a loopback socket (`serve`) and without one (`InMemoryAdapter`), so clients are tested
by one code path over both; a dropped connection is a really dropped connection on the socket.
"""

from __future__ import annotations

import io
import json
import socket
import sqlite3
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import requests
from requests.adapters import BaseAdapter
from urllib3 import HTTPResponse
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.test import run_wsgi_app
from werkzeug.wrappers import Request, Response

from sources.clock import Clock

LOG_LENGTH_MAX = 200_000
STALL_S_MAX = 120.0  # how long a stalled connection is held open for a peer that never gives up


class DropConnection(Exception):
    """Raised inside a simulator: the peer sees the connection die without an answer."""


class StallConnection(Exception):
    """Raised inside a simulator: the peer hears nothing until its patience ends."""


@dataclass
class Fault:
    """One scripted fault: which requests it meets and what happens to them.

    effect: `status` (answer `status` with `body` and `headers`), `drop` (die before doing the work), `drop_after`
    (do the work, then die), `stall` (say nothing until the peer gives up), `truncate` (half of the true body), `html`
    (a proxy's page), `delay` (`delay_s` on the clock, then the true answer), `again` (the answer before this one on the
    same path, without doing the work), `rewrite` (the true answer as `rewrite` changes it), or any name a vendor's
    simulator understands itself.
    """

    effect: str
    path: str = ""  # part of the path; empty meets every path
    method: str = ""
    after: int = 0  # matching requests to let pass first
    times: int = 1  # how many matching requests it meets; -1 for ever
    status: int = 500
    body: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    delay_s: float = 0.0
    rewrite: Callable[[Response], Response] = lambda answer: answer
    seen: int = 0

    def meets(self, request: Request) -> bool:
        """Whether this request is struck; counts it."""
        if self.path not in request.path or (self.method and self.method != request.method):
            return False
        self.seen += 1
        return self.seen > self.after and (self.times < 0 or self.seen <= self.after + self.times)


@dataclass(frozen=True)
class LoggedRequest:
    """What a simulator remembers of a request; `at_s` is the clock's time, status 0 that the connection died."""

    at_s: float
    method: str
    path: str
    status: int


class SimulatorStore:
    """Durable JSON values by (bucket, key) in one SQLite file, written through; or in memory with no path."""

    def __init__(self, path: Path | None = None) -> None:
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._db = sqlite3.connect(path or ":memory:", check_same_thread=False, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=OFF")  # a simulator need not survive a power cut, only a process
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS kv (bucket TEXT, key TEXT, value TEXT, PRIMARY KEY (bucket, key)) WITHOUT ROWID"
        )

    def load(self, bucket: str) -> dict[str, Any]:
        """All values of a bucket by key, in key order."""
        with self._lock:
            rows = self._db.execute("SELECT key, value FROM kv WHERE bucket = ? ORDER BY key", (bucket,)).fetchall()
        return {key: json.loads(value) for key, value in rows}

    def get(self, bucket: str, key: str, default: Any = None) -> Any:
        """One value."""
        with self._lock:
            row = self._db.execute("SELECT value FROM kv WHERE bucket = ? AND key = ?", (bucket, key)).fetchone()
        return default if row is None else json.loads(row[0])

    def put(self, bucket: str, key: str, value: Any) -> None:
        """Set one value."""
        self.put_many(bucket, [(key, value)])

    def put_many(self, bucket: str, items: Iterable[tuple[str, Any]]) -> None:
        """Set many values in one transaction."""
        rows = [(bucket, key, json.dumps(value, ensure_ascii=False)) for key, value in items]
        with self._lock:
            self._db.execute("BEGIN")
            self._db.executemany("INSERT OR REPLACE INTO kv VALUES (?, ?, ?)", rows)
            self._db.execute("COMMIT")

    def delete(self, bucket: str, key: str) -> None:
        """Forget one value."""
        with self._lock:
            self._db.execute("DELETE FROM kv WHERE bucket = ? AND key = ?", (bucket, key))

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._db.execute("DELETE FROM kv")

    def close(self) -> None:
        with self._lock:
            self._db.close()


class Simulator:
    """A simulated vendor. A subclass gives `name`, adds rules with `route`, and overrides `authorise` or `before`."""

    name = "simulator"

    def __init__(self, clock: Clock, store: SimulatorStore | None = None) -> None:
        self.clock = clock
        self.store = store or SimulatorStore()
        self.faults: list[Fault] = []
        self.log: deque[LoggedRequest] = deque(maxlen=LOG_LENGTH_MAX)
        self.counters: Counter[str] = Counter()
        self.on_request: Callable[[LoggedRequest], None] = lambda request: None
        self.lock = threading.RLock()  # handlers run one at a time: a simulator is a state machine, not a benchmark
        self._handlers: dict[str, Callable[..., Response]] = {}
        self._answered: dict[str, Response] = {}  # the newest answer on each path, for the fault `again`
        self._rules = Map(strict_slashes=False, merge_slashes=False)

    # -- for subclasses -------------------------------------------------------------------------------------------

    def route(self, method: str, path: str, handler: Callable[..., Response]) -> None:
        """Let `handler(request, **path values)` answer a method on a werkzeug path rule."""
        endpoint = f"{method} {path}"
        self._handlers[endpoint] = handler
        self._rules.add(Rule(path, methods=[method], endpoint=endpoint))

    def before(self, request: Request) -> Response | None:
        """Authentication and rate limits: an answer ends the request, None lets it pass."""
        return None

    def not_found(self, request: Request) -> Response:
        """What this vendor says to an unknown path or verb."""
        return json_response({"error": "not found"}, status=404)

    def strike(self, fault: Fault, request: Request) -> Response | None:
        """A vendor's own fault effects; None where the effect only changes state and the request goes on."""
        raise ValueError(f"{self.name}: unknown fault effect {fault.effect!r}")

    # -- the app --------------------------------------------------------------------------------------------------

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        request = Request(environ)
        with self.lock:
            try:
                response = self._answer(request)
            except (DropConnection, StallConnection):
                self.on_request(LoggedRequest(self.clock.time(), request.method, request.path, 0))
                raise
            logged = LoggedRequest(self.clock.time(), request.method, request.path, response.status_code)
            self.log.append(logged)
            self.on_request(logged)
            self.counters[f"{response.status_code}"] += 1
        return response(environ, start_response)

    def _answer(self, request: Request) -> Response:
        fault = next((fault for fault in self.faults if fault.meets(request)), None)
        if fault is None:
            return self._route(request)
        self.counters[f"fault {fault.effect}"] += 1
        if fault.effect == "status":
            return Response(fault.body, status=fault.status, headers=list(fault.headers), mimetype="application/json")
        if fault.effect == "html":
            page = fault.body or "<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"
            return Response(page, status=fault.status, mimetype="text/html")
        if fault.effect == "drop":
            raise DropConnection(request.path)
        if fault.effect == "drop_after":
            self._route(request)
            raise DropConnection(request.path)
        if fault.effect == "delay":
            self.clock.sleep(fault.delay_s)
            return self._route(request)
        if fault.effect == "truncate":
            whole = self._route(request)
            body = whole.get_data()
            return Response(body[: len(body) // 2], status=whole.status_code, mimetype=whole.mimetype)
        if fault.effect == "stall":
            raise StallConnection(request.path)
        if fault.effect == "rewrite":
            return fault.rewrite(self._route(request))
        if fault.effect == "again":
            return self._answered.get(request.path) or self._route(request)
        struck = self.strike(fault, request)
        return self._route(request) if struck is None else struck

    def _route(self, request: Request) -> Response:
        stopped = self.before(request)
        if stopped is not None:
            return stopped
        try:
            endpoint, values = self._rules.bind_to_environ(request.environ).match()
        except HTTPException:
            return self.not_found(request)
        answer = self._answered[request.path] = self._handlers[endpoint](request, **values)
        return answer


def json_response(
    body: Any, *, status: int = 200, headers: dict[str, str] | None = None, mimetype: str = "application/json"
) -> Response:
    """A JSON answer."""
    text = json.dumps(body, ensure_ascii=False)
    return Response(text.encode("utf-8", "surrogatepass"), status=status, headers=headers, mimetype=mimetype)


class _Handler(BaseHTTPRequestHandler):
    """HTTP/1.1 on a kept connection, silent, and able to die in mid-request.

    Werkzeug's own development server closes the connection after every answer; a backfill of 100,000 creates would pay
    for 100,000 sockets.
    """

    app: Simulator
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else every second answer on a kept connection waits 40 ms for an ACK
    wbufsize = -1  # head and body leave together

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        environ = _environ(self.command, self.path, self.headers.items(), body)
        try:
            chunks, status, headers = run_wsgi_app(self.app, environ, buffered=True)
        except DropConnection:
            self._die()
            return
        except StallConnection:
            self.connection.settimeout(STALL_S_MAX)
            with suppress(OSError):
                self.connection.recv(1)  # returns when the peer hangs up
            self._die()
            return
        content = b"".join(chunks)
        code, _, reason = status.partition(" ")
        self.send_response_only(int(code), reason)
        for name, value in headers:
            self.send_header(name, value)
        if "Content-Length" not in headers:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_DELETE = answer

    def log_message(self, *args: Any) -> None:
        return

    def _die(self) -> None:
        self.close_connection = True
        try:
            self.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # the peer was quicker


@contextmanager
def serve(app: Simulator, port: int = 0) -> Iterator[str]:
    """Run an app on 127.0.0.1 in threads of this process; yields its base URL without a slash at the end."""
    handler = type("Handler", (_Handler,), {"app": app})
    server = ThreadingHTTPServer(("127.0.0.1", port), handler)
    server.daemon_threads = True  # a kept connection must not keep the process
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=5)


class InMemoryAdapter(BaseAdapter):
    """Lets a requests session speak to an app without a socket: `session.mount("http://apollo.test", adapter)`."""

    def __init__(self, app: Simulator) -> None:
        super().__init__()
        self._app = app

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        body = request.body or b""
        data = body.encode("utf-8") if isinstance(body, str) else bytes(body)  # type: ignore[arg-type]
        environ = _environ(request.method or "GET", request.url or "/", request.headers.items(), data)
        try:
            chunks, status, headers = run_wsgi_app(self._app, environ, buffered=True)
        except DropConnection as drop:
            raise requests.ConnectionError("connection dropped", request=request) from drop
        except StallConnection as stall:
            raise requests.ReadTimeout("nothing came", request=request) from stall
        body = b"".join(chunks)
        raw = HTTPResponse(
            body=io.BytesIO(body),
            headers=dict(headers.items()),
            status=int(status.split(" ", 1)[0]),
            preload_content=False,
        )
        response = requests.Response()
        response.status_code = raw.status
        response.headers = requests.structures.CaseInsensitiveDict(headers.items())
        response.raw = raw
        response.request = request
        response.url = request.url or ""
        response.encoding = requests.utils.get_encoding_from_headers(response.headers)
        return response

    def close(self) -> None:
        return


def _environ(method: str, target: str, headers: Iterable[tuple[str, Any]], body: bytes) -> dict[str, Any]:
    """A WSGI environment; `target` is a URL or a path with its query. Source: PEP 3333."""
    url = urlsplit(target)
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote(url.path),
        "QUERY_STRING": url.query,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for key, value in headers:
        name = key.upper().replace("-", "_")
        text = value.decode("latin-1") if isinstance(value, bytes) else value
        environ[name if name in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{name}"] = text
    environ["CONTENT_LENGTH"] = str(len(body))
    return environ
