"""Every fault of a vendor that a client must live with, in one list; each strikes at each place where it can.

Belongs here: what goes wrong, where, and what the client must do and say. Does not: playing a fault
(`simulation.Fault`), what a vendor's own oddities of single rows are (each `shapes.py`), changed fields inside rows
(what a payload means is judged when it is standardised).
Surprise: the list says nothing of a vendor; a `Place` does: its path, where its rows and its total stand. So a fault
that is added here is played at all vendors, by the generated test and by `halosync simulate --fault`.
"""

from __future__ import annotations

import gzip
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from werkzeug.wrappers import Response

from sources.simulation import Fault

Edit = Callable[["Place", dict[str, Any]], Any]  # the true document -> the one that is sent
PATIENT_TIMES = 3  # how often a passing fault strikes: more than one retry, fewer than a client's patience
BODY_BYTES = 70 * 1024 * 1024  # past what a client reads of one answer


class Outcome(StrEnum):
    """What a fault may lead to."""

    SERVED = "everything comes in the same run"
    NAMED = "the run is partial and says why; the next run brings the rest"
    QUARANTINED = "the row is kept aside with its reason, all others come"
    WRITTEN_OFF = "what was paid for and is lost is kept aside and never paid for twice; the next run brings the rest"


@dataclass(frozen=True)
class Place:
    """Where a fault strikes: the request, and how its answer is built.

    rows, total, next: paths of keys into the answer's document; empty where it has none. `after` counts requests on
    that path which pass first.
    """

    name: str
    path: str
    after: int = 0
    method: str = ""
    rows: tuple[str, ...] = ()
    total: tuple[str, ...] = ()
    next: tuple[str, ...] = ()
    is_paid: bool = False
    is_charged_again: bool = False  # reading a record again costs again, so a lost answer may not be asked for twice
    announces: bool = False  # its total sizes the walk
    is_last: bool = False  # the only page of its walk
    is_first: bool = True  # the first answer of a walk; a repeated page can only be a later one


@dataclass(frozen=True)
class Trouble:
    """One fault of the list. `said`: what the client's problems, refusals or notes must contain, as a pattern.

    `is_after_work`: the work was done and its result cannot be had.
    """

    name: str
    what: str
    outcome: Outcome
    said: str
    make: Callable[[Place], Fault]
    fits: Callable[[Place], bool] = lambda place: True
    is_after_work: bool = False

    def at(self, place: Place) -> Fault:
        """The script of this fault at a place; a fresh one each time, for a fault counts what it meets."""
        return replace(self.make(place), path=place.path, method=place.method, after=place.after)


@dataclass(frozen=True)
class Scripted:
    """A fault of the list at one place of one vendor."""

    vendor: str
    trouble: Trouble
    place: Place

    @property
    def name(self) -> str:
        """Such as `429 without Retry-After @ next page`."""
        return f"{self.trouble.name} @ {self.place.name}"

    @property
    def is_written_off(self) -> bool:
        return self.trouble.is_after_work and self.place.is_charged_again

    @property
    def outcome(self) -> Outcome:
        return Outcome.WRITTEN_OFF if self.is_written_off else self.trouble.outcome

    @property
    def said(self) -> str:
        """A pattern that what the client says must match."""
        return "paid for and not delivered" if self.is_written_off else self.trouble.said

    def fault(self) -> Fault:
        return self.trouble.at(self.place)


def scripted(vendor: str) -> list[Scripted]:
    """Every fault at every place of a vendor where it fits."""
    return [Scripted(vendor, trouble, place) for trouble in TROUBLES for place in PLACES[vendor] if trouble.fits(place)]


def _apollo(name: str, path: str, rows: str, **how: Any) -> Place:
    return Place(name, path, rows=(rows,), **how)


def _zoominfo(name: str, path: str, **how: Any) -> Place:
    links: tuple[str, ...] = ("links", "next") if path.endswith("search") else ()
    total: tuple[str, ...] = ("meta", "totalResults") if path.endswith("search") else ()
    return Place(name, path, rows=("data",), total=total, next=links, **how)


def _uplead(name: str, **how: Any) -> Place:
    meta = ("data", "meta")
    return Place(
        name,
        "prospector-pro-search",
        rows=("data", "results"),
        total=(*meta, "total"),
        next=(*meta, "next_page"),
        **how,
    )


_STUBS, _MATCH = "mixed_people/api_search", "people/bulk_match"
PLACES: Mapping[str, Sequence[Place]] = {
    "apollo": (
        _apollo("first page", _STUBS, "people", total=("total_entries",), announces=True),
        _apollo("next page", _STUBS, "people", total=("total_entries",), after=1, is_first=False),
        _apollo("purchase", _MATCH, "matches", is_paid=True, is_charged_again=True),
        _apollo("next purchase", _MATCH, "matches", after=2, is_paid=True, is_charged_again=True, is_first=False),
        Place("balance", "usage_stats/credit_usage_stats"),
        _apollo("saved contacts", "contacts/search", "contacts", total=("pagination", "total_entries"), announces=True),
        _apollo("saved accounts", "accounts/search", "accounts", total=("pagination", "total_entries"), announces=True),
    ),
    "zoominfo": (
        _zoominfo("companies", "companies/search", announces=True, is_last=True),
        # The walk of what is under management comes first and is empty in a new account.
        _zoominfo("first page", "contacts/search", after=1, announces=True),
        _zoominfo("next page", "contacts/search", after=2, is_first=False),
        _zoominfo("purchase", "contacts/enrich", is_paid=True),
        _zoominfo("next purchase", "contacts/enrich", after=1, is_paid=True, is_first=False),
        Place("token", "oauth/v1/token"),
        Place("usage", "users/usage"),
    ),
    "uplead": (
        Place("balance", "/credits", total=("data", "credits")),
        Place("count", "prospector-pro-search", total=("data", "count"), announces=True),
        _uplead("first page", after=1, is_paid=True),
        _uplead("next page", after=2, is_paid=True, is_first=False),
    ),
    "halopsa": (
        Place("token", "/auth/token"),
        Place("list of users", "/api/Users", method="GET"),
        Place("write of a client", "/api/Client", method="POST"),
    ),
}


# -- how faults are made ----------------------------------------------------------------------------------------------


def _refusal(status: int, body: str = "", *, times: int = 1, **headers: str) -> Callable[[Place], Fault]:
    told = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return lambda place: Fault("status", status=status, body=body, headers=told, times=times)


def _effect(effect: str, *, times: int = 1, delay_s: float = 0.0) -> Callable[[Place], Fault]:
    return lambda place: Fault(effect, times=times, delay_s=delay_s, status=502)


def _rewritten(rewrite: Callable[[Response], Response], *, times: int = 1) -> Callable[[Place], Fault]:
    return lambda place: Fault("rewrite", rewrite=rewrite, times=times)


def _edited(edit: Edit, *, times: int = 1) -> Callable[[Place], Fault]:
    """The true document, changed. Escaped to ASCII, which alone can carry a lone surrogate."""

    def make(place: Place) -> Fault:
        def rewrite(answer: Response) -> Response:
            if answer.status_code != 200:
                return answer
            document = json.loads(answer.get_data())
            return _like(answer, json.dumps(edit(place, document)).encode())

        return Fault("rewrite", rewrite=rewrite, times=times)

    return make


def _like(answer: Response, body: bytes, **headers: str) -> Response:
    kept = {name: value for name, value in answer.headers.items() if name.lower() != "content-length"}
    return Response(body, status=answer.status_code, headers=kept | headers)


def _lasting(make: Callable[[Place], Fault]) -> Callable[[Place], Fault]:
    return lambda place: replace(make(place), times=-1)


def _at(document: Any, path: Sequence[str]) -> Any:
    for key in path:
        document = document[key]
    return document


def _put(document: dict[str, Any], path: Sequence[str], value: Any) -> dict[str, Any]:
    _at(document, path[:-1])[path[-1]] = value
    return document


def _rows(change: Callable[[list[Any]], Any]) -> Callable[[Place], Fault]:
    return _edited(lambda place, document: _put(document, place.rows, change(_at(document, place.rows))))


def _row(change: Callable[[dict[str, Any]], Any]) -> Callable[[Place], Fault]:
    """The first row of the answer, changed."""
    return _rows(lambda rows: [change(dict(rows[0])), *rows[1:]] if rows else rows)


def _total(value: Callable[[int], Any]) -> Callable[[Place], Fault]:
    return _edited(lambda place, document: _put(document, place.total, value(_at(document, place.total))))


def _without(name: str) -> Callable[[Place], Fault]:
    def edit(place: Place, document: dict[str, Any]) -> dict[str, Any]:
        path = getattr(place, name)
        del _at(document, path[:-1])[path[-1]]
        return document

    return _edited(edit)


def _renamed(name: str) -> Callable[[Place], Fault]:
    def edit(place: Place, document: dict[str, Any]) -> dict[str, Any]:
        path = getattr(place, name)
        holder = _at(document, path[:-1])
        holder[f"{path[-1]}_v2"] = holder.pop(path[-1])
        return document

    return _edited(edit)


def _nested(depth: int) -> str:
    return "[" * depth + "]" * depth


def _deep_row(answer: Response) -> Response:
    """A row nested far deeper than Python's own reader goes; put in as text, for nothing else can write it."""
    text = answer.get_data().decode()
    return _like(answer, text.replace('"id":', f'"nested": {_nested(5_000)}, "id":', 1).encode())


def _long_number(answer: Response) -> Response:
    text = answer.get_data().decode()
    return _like(answer, text.replace("{", f'{{"x_number": {"9" * 5_000}, ', 1).encode())


def _bomb(answer: Response) -> Response:
    return _like(answer, gzip.compress(b" " * BODY_BYTES, compresslevel=1), **{"Content-Encoding": "gzip"})


def _foreign_link(place: Place, document: dict[str, Any]) -> dict[str, Any]:
    """A next page at somebody else's host: who follows it hands over the token."""
    link = _at(document, place.next[:-1]).get(place.next[-1])
    return _put(document, place.next, f"https://elsewhere.invalid/{str(link).partition('?')[2]}") if link else document


def _leading_back(place: Place, document: dict[str, Any]) -> dict[str, Any]:
    return _put(document, place.next, "uri=/x?page[number]=1" if "links" in place.next else 1)


def _with_note(value: Any) -> Callable[[dict[str, Any]], Any]:
    return lambda row: row | {"note": value}


def _nameless(value: Any) -> Callable[[dict[str, Any]], Any]:
    """A row without a usable id, nor what else it could be known by: ZoomInfo's input, the person of a contact."""
    others = {"person_id": value, "organization_id": value, "meta": {"matchStatus": "FULL_MATCH"}}
    return lambda row: row | {"id": value} | {name: other for name, other in others.items() if name in row}


_S, _N, _Q = Outcome.SERVED, Outcome.NAMED, Outcome.QUARANTINED
_YEAR_S = 31_536_000


def _has_rows(place: Place) -> bool:
    return bool(place.rows)


def _is_later_page(place: Place) -> bool:
    return bool(place.rows) and not place.is_first


def _announces(place: Place) -> bool:
    return place.announces


def _needs_total(place: Place) -> bool:
    """Where nothing goes on without it: pages, and the balance. UpLead's count may be missing, its pages tell again."""
    return bool(place.total) and (place.announces or place.is_first) and place.name != "count"


def _has_next(place: Place) -> bool:
    return bool(place.next) and not place.is_last


_NO_DOCUMENT = "instead of an object|no list in|has no results"
_NO_ROWS = "instead of a list|no list in|has no results"
_GAP = "out of reach|announced and not delivered|not delivered by enrich"
_NO_TOTAL = "total_entries|or no total|has no results|balance is missing"
_MORE = "more came than|announced and|and gave"


def _troubles() -> Iterator[Trouble]:
    """The list, in the order of the layers that a fault passes: connection, status, body, document, rows, totals."""
    rows, pages = _has_rows, _is_later_page
    yield Trouble("dropped connection", "the connection dies before any work", _S, "no whole answer", _effect("drop"))
    yield Trouble("dropped again", "it dies three times", _S, "no whole answer", _effect("drop", times=PATIENT_TIMES))
    yield Trouble("silence", "nothing comes until patience ends", _S, "no whole answer", _effect("stall"))
    yield Trouble("slow answer", "the answer takes 20 seconds", _S, "", _effect("delay", delay_s=20))
    yield Trouble("gone for good", "every connection dies", _N, "no whole answer", _effect("drop", times=-1))
    yield Trouble("429 without Retry-After", "too many calls", _S, "HTTP 429", _refusal(429))
    yield Trouble("429 with seconds", "wait 7 seconds", _S, "HTTP 429", _refusal(429, Retry_After="7"))
    yield Trouble("429 with a date", "wait until a date", _S, "HTTP 429",
                  _refusal(429, Retry_After="Mon, 02 Nov 2026 06:01:30 GMT"))  # fmt: skip
    yield Trouble("429 with a year", "wait a year", _S, "HTTP 429", _refusal(429, Retry_After=str(_YEAR_S)))
    yield Trouble("429 with nonsense", "wait `soon`", _S, "HTTP 429", _refusal(429, Retry_After="soon"))
    yield Trouble("429 with a negative wait", "wait -5 seconds", _S, "HTTP 429", _refusal(429, Retry_After="-5"))
    yield Trouble("429 storm", "three in a row", _S, "HTTP 429", _refusal(429, times=PATIENT_TIMES, Retry_After="0"))
    yield Trouble("429 for ever", "no call is let through", _N, "HTTP 429", _refusal(429, times=-1, Retry_After="1"))
    yield Trouble("500", "a defect of the vendor", _S, "HTTP 500", _refusal(500))
    yield Trouble("500 burst", "three in a row", _S, "HTTP 500", _refusal(500, times=PATIENT_TIMES))
    yield Trouble("500 for ever", "a defect that stays", _N, "HTTP 500", _refusal(500, times=-1))
    yield Trouble("503 with Retry-After", "down for a minute", _S, "HTTP 503", _refusal(503, Retry_After="60"))
    yield Trouble("504", "a gateway gave up", _S, "HTTP 504", _refusal(504))
    yield Trouble("502 page", "a proxy's page, status 502", _S, "HTTP 502", _effect("html"))
    yield Trouble("redirect", "the answer stands elsewhere", _N, "HTTP 302",
                  _refusal(302, times=-1, Location="http://127.0.0.1:1/"))  # fmt: skip
    yield Trouble("refused request", "a 400 that was never seen", _N, "HTTP 400", _refusal(400, times=-1))
    yield Trouble("vanished route", "a 404", _N, "HTTP 404", _refusal(404, times=-1))
    yield Trouble("reply lost", "the work is done, then the connection dies", _S, "no whole answer",
                  _effect("drop_after"), is_after_work=True)  # fmt: skip
    yield Trouble("page instead of JSON", "HTML with status 200", _S, "no whole answer",
                  _rewritten(lambda answer: Response("<html>maintenance</html>", mimetype="text/html")),
                  is_after_work=True)  # fmt: skip
    yield Trouble("maintenance page for ever", "HTML with status 200, always", _N, "not JSON",
                  _rewritten(lambda answer: Response("<html></html>", mimetype="text/html"), times=-1),
                  is_after_work=True)  # fmt: skip
    yield Trouble("empty body", "status 200 and nothing", _S, "no whole answer",
                  _rewritten(lambda answer: _like(answer, b"")), is_after_work=True)  # fmt: skip
    yield Trouble("truncated JSON", "half of the body", _S, "no whole answer", _effect("truncate"), is_after_work=True)
    yield Trouble("byte order mark", "EF BB BF before the JSON", _S, "",
                  _rewritten(lambda answer: _like(answer, b"\xef\xbb\xbf" + answer.get_data())))  # fmt: skip
    yield Trouble("broken gzip", "announced as gzip, is none", _S, "no whole answer",
                  _rewritten(lambda answer: _like(answer, b"\x1f\x8bnone", **{"Content-Encoding": "gzip"})),
                  is_after_work=True)  # fmt: skip
    yield Trouble("gzip bomb", "70 MB out of 70 KB", _S, "no whole answer", _rewritten(_bomb), is_after_work=True)
    yield Trouble("a list instead of an object", "the document is a list", _N, _NO_DOCUMENT,
                  _edited(lambda place, document: [document], times=-1), rows, is_after_work=True)  # fmt: skip
    yield Trouble("a number instead of an object", "the document is 7", _N, _NO_DOCUMENT,
                  _edited(lambda place, document: 7, times=-1), rows, is_after_work=True)  # fmt: skip
    yield Trouble("rows renamed", "the list of rows has another name", _N, _NO_ROWS,
                  _lasting(_renamed("rows")), rows, is_after_work=True)  # fmt: skip
    yield Trouble("rows vanished", "no list of rows", _N, _NO_ROWS, _lasting(_without("rows")), rows,
                  is_after_work=True)  # fmt: skip
    yield Trouble("rows as object", "the list of rows is an object", _N, _NO_ROWS,
                  _lasting(_rows(lambda found: {"0": found})), rows, is_after_work=True)  # fmt: skip
    yield Trouble("a new field", "the document says something more", _S, "",
                  _edited(lambda place, document: document | {"x_trace": {"id": 1}}), rows)  # fmt: skip
    yield Trouble(
        "endless number", "a new field holds a number of 5,000 digits", _S, "", _rewritten(_long_number), rows
    )
    yield Trouble("page repeated", "the page before once more", _N, _GAP, _effect("again"),
                  lambda place: _is_later_page(place) and not place.is_paid)  # fmt: skip
    yield Trouble("page empty", "no rows where there are some", _N, _GAP, _rows(lambda found: []), pages,
                  is_after_work=True)  # fmt: skip
    yield Trouble("page short", "half of the rows", _N, _GAP, _rows(lambda found: found[: len(found) // 2]), rows,
                  is_after_work=True)  # fmt: skip
    yield Trouble("page shifted", "three rows were jumped over", _N, _GAP, _rows(lambda found: found[3:]), rows,
                  is_after_work=True)  # fmt: skip
    yield Trouble("row twice", "the first row comes twice", _S, "", _rows(lambda found: [*found, *found[:1]]), rows)
    yield Trouble("rows in another order", "backwards", _S, "", _rows(lambda found: found[::-1]), rows)
    yield Trouble("row without id", "its id is null", _Q, "no id", _row(_nameless(None)), rows)
    yield Trouble("id as object", "its id has become an object", _Q, "no id", _row(_nameless({"v": 2})), rows)
    yield Trouble(
        "row is a text", "a text among the objects", _Q, "instead of an object", _row(lambda row: "gone"), rows
    )
    for name, what, said, value in (
        ("NUL", "a NUL in a new field", "NUL", "a\x00b"),
        ("lone surrogate", "half a character in a new field", "surrogate", "\ud83d"),
        ("NaN", "no number in a new field", "nan", math.nan),
        ("huge text", "two million characters in a new field", "characters", "x" * 2_000_000),
        ("many keys", "30,000 keys in a new field", "values", {f"k{number}": number for number in range(30_000)}),
    ):
        yield Trouble(name, what, _Q, said, _row(_with_note(value)), rows)
    yield Trouble("endless nesting", "a row nested 5,000 deep", _Q, "nested", _rewritten(_deep_row), rows)
    yield Trouble(
        "total too high", "it names three times as many", _N, _GAP, _total(lambda found: found * 3), _announces
    )
    yield Trouble("total too low", "it names 2", _N, _MORE, _total(lambda found: 2), _announces)
    yield Trouble("total is zero", "it names 0", _N, _MORE, _total(lambda found: 0), _announces)
    yield Trouble("total as words", "it is `many`", _N, _NO_TOTAL, _lasting(_total(lambda found: "many")), _needs_total)
    yield Trouble("total vanished", "it is not there", _N, _NO_TOTAL, _lasting(_without("total")), _needs_total)
    yield Trouble("next page vanished", "the page says it is the last", _N, _GAP,
                  _edited(lambda place, document: _put(document, place.next, None)), _has_next)  # fmt: skip
    yield Trouble("next page leads back", "to page 1", _N, _GAP, _edited(_leading_back), _has_next)
    yield Trouble("next page elsewhere", "its link names another host", _S, "", _edited(_foreign_link),
                  lambda place: _has_next(place) and "links" in place.next)  # fmt: skip


TROUBLES = tuple(_troubles())
