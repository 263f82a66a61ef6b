"""Reading a whole list of HaloPSA, page by page, and knowing whether it was the whole.

Belongs here: paging, its stop rules, re-reading. Does not: HTTP (`session.py`), what rows mean (`fields.py`).
Surprise: nothing of what a page says about itself is trusted. The cap is not the size we asked for, past the end the
last page may come again, `record_count` may be wrong, and a page may be missing. So the loop is driven by the ids
received, and a count that disagrees makes the walk run again from the other end.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from sources.halopsa import settings
from sources.halopsa.fields import as_id
from sources.halopsa.session import VENDOR, HaloSession
from sources.http import VendorError


class Walk:
    """One reading of one list. Iterate once for pages of rows not seen before; then ask what came of it.

    Attributes:
        seen_rows: distinct rows so far. expected_rows: what Halo said last, None where it said nothing usable.
        is_complete: after the iteration, whether every row there is was seen, as far as can be known.
        is_count_disputed: complete, but Halo's own count says otherwise.
    """

    def __init__(self, session: HaloSession, resource: str, params: Mapping[str, Any]) -> None:
        self._session = session
        self._resource = resource
        self._params = dict(params)
        self._keys: set[str] = set()
        self._has_started = False
        self.expected_rows: int | None = None
        self.is_complete = False
        self.is_count_disputed = False

    @property
    def seen_rows(self) -> int:
        return len(self._keys)

    def __iter__(self) -> Iterator[list[Any]]:
        assert not self._has_started, "a walk is read once"
        self._has_started = True
        for number in range(settings.PASSES_MAX):
            before = self.seen_rows
            yield from self._pass(is_descending=number % 2 == 1)
            if self.seen_rows == self.expected_rows:
                self.is_complete = True
                return
            if number > 0 and self.seen_rows == before:
                self._judge()
                return

    def _pass(self, *, is_descending: bool) -> Iterator[list[Any]]:
        """One way through the list, up to an empty page, a page of nothing but repeats, or its credible end."""
        order = {"order": "id", "orderdesc": "true" if is_descending else "false"}
        page_rows_max = settings.PAGE_ROWS_CAP_MIN
        in_pass: set[str] = set()
        page_no = 0
        while len(in_pass) < settings.ROWS_MAX:
            page_no += 1
            page = {"pageinate": "true", "page_no": page_no, "page_size": settings.PAGE_ROWS}
            rows = self._rows(self._session.read(self._resource, {**self._params, **order, **page}))
            keyed = {_key(row): row for row in rows}
            if not keyed.keys() - in_pass:
                return
            in_pass |= keyed.keys()
            fresh = [row for key, row in keyed.items() if key not in self._keys]
            self._keys |= keyed.keys()
            if fresh:
                yield fresh
            # Neither the count alone ends a pass (it may be wrong) nor a short page (a cap of 50 looks like one).
            if len(rows) < page_rows_max and len(in_pass) == self.expected_rows:
                return
            page_rows_max = max(page_rows_max, len(rows))

    def _judge(self) -> None:
        """Both directions brought the same rows, against the count: who is to be believed?"""
        expected = self.expected_rows
        if expected is None or expected <= self.seen_rows:
            self.is_complete = True
            self.is_count_disputed = expected is not None
            return
        error_rows = expected - self.seen_rows
        is_small = error_rows <= max(settings.COUNT_ERROR_ROWS_MAX, expected * settings.COUNT_ERROR_SHARE_MAX)
        self.is_complete = self.is_count_disputed = is_small and self.seen_rows > 0

    def _rows(self, answer: Any) -> list[Any]:
        """The array inside an answer: in its envelope, or bare."""
        rows = answer
        if isinstance(answer, Mapping):
            rows = answer.get(settings.LIST_KEY[self._resource])
            count = answer.get("record_count")
            self.expected_rows = count if isinstance(count, int) and not isinstance(count, bool) else None
        if not isinstance(rows, list):
            raise VendorError(f"{VENDOR}: the list of {self._resource} holds no array, so nothing of it is used")
        return rows


def _key(row: Any) -> str:
    """The id; for a row without one its content, so that it reaches the screen for poison rows once."""
    row_id = as_id(row.get("id")) if isinstance(row, Mapping) else None
    if row_id is not None:
        return str(row_id)
    text = json.dumps(row, sort_keys=True)  # not canonical_json: a NaN must reach the screen, not stop the walk
    return f"content:{hashlib.sha256(text.encode()).hexdigest()}"
