"""Lists and details of the simulated HaloPSA: filters, search, order, pages, and the thin shape of rows.

Belongs here: reading. Does not: changing (`simulator_records.py`), HTTP (`simulator.py`).
Surprise: a list is thinner than a detail, pages exist only with `pageinate=true` (their spelling), and a page past the
end is the last page once more.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from sources.halopsa.simulator_names import (
    BOOLEANS,
    LIST_KEY,
    PARAMETERS,
    SEARCHED,
    SEARCHED_ADVANCED,
    STAMP,
    THIN,
    UNSET_DATE,
)
from sources.halopsa.simulator_records import HaloRecords, Refused, Row

COUNT_DEFAULT = 50


class HaloLists:
    """Reads over the records. `hide_between_s`: rows made in that window of the clock stay out of lists so long."""

    def __init__(self, records: HaloRecords) -> None:
        self._records = records
        self._cache: dict[str, tuple[Any, list[int]]] = {}
        self.hide_between_s: tuple[float, float] | None = None
        self.quirk = ""  # `drop_page` or `shuffle_order`, for the next page only
        self.ignored: Counter[str] = Counter()

    def page(self, resource: str, query: Mapping[str, str]) -> Row:
        """The envelope that answers a list request."""
        self.ignored.update(f"{resource}?{name}" for name in query if name.lower() not in PARAMETERS)
        modes = self._records.modes
        ids = [] if modes.is_agent_restricted else self._ids(resource, query)
        is_paged = _is_true(query, "pageinate")
        page_no = max(_number(query, "page_no", 1), 1) if is_paged else 1
        size = _number(query, "page_size", COUNT_DEFAULT) if is_paged else _number(query, "count", COUNT_DEFAULT)
        size = min(max(size, 1), modes.page_rows_max) if is_paged else max(size, 1)
        chosen = self._slice(ids, page_no, size)
        total = len(ids) if is_paged else len(chosen)
        return {
            "page_no": page_no,
            "page_size": size,
            "record_count": max(total + modes.record_count_error, 0) if ids else 0,
            "columns": [],
            LIST_KEY[resource]: [self.thin(resource, self._records.rows[resource][row_id], query) for row_id in chosen],
        }

    def _slice(self, ids: list[int], page_no: int, size: int) -> list[int]:
        quirk, self.quirk = self.quirk, ""
        if quirk == "drop_page":
            page_no += 1
        if quirk == "shuffle_order":
            ids = ids[size // 2 :] + ids[: size // 2]
        chosen = ids[(page_no - 1) * size : page_no * size]
        if not chosen and ids and self._records.modes.past_end == "repeat":
            last = (len(ids) - 1) // size
            chosen = ids[last * size :]
        return chosen

    def _ids(self, resource: str, query: Mapping[str, str]) -> list[int]:
        """Ids that pass the filters, in order; remembered until a record of the resource changes."""
        paging = {"page_no", "page_size", "pageinate", "count", "include_custom_fields"}
        key = (self._records.versions[resource], sorted((k, v) for k, v in query.items() if k not in paging))
        cached = self._cache.get(resource)
        if cached and cached[0] == key:
            ids = cached[1]
        else:
            ids = self._filtered(resource, query)
            self._cache[resource] = (key, ids)
        return self._unhidden(resource, ids)

    def _unhidden(self, resource: str, ids: list[int]) -> list[int]:
        now_s = self._records.clock.time()
        cache_s = self._records.modes.list_cache_s
        first_s, until_s = self.hide_between_s or (0.0, 0.0)
        if not cache_s and now_s >= until_s:
            return ids
        born = self._records.created_at_s

        def is_hidden(row_id: int) -> bool:
            born_s = born.get((resource, row_id), 0.0)
            return born_s > now_s - cache_s or (now_s < until_s and born_s >= first_s)

        return [row_id for row_id in ids if not is_hidden(row_id)]

    def _filtered(self, resource: str, query: Mapping[str, str]) -> list[int]:
        rows = self._records.rows[resource]
        tests = self._tests(resource, query)
        ids = [row_id for row_id in self._candidates(resource, query) if all(test(rows[row_id]) for test in tests)]
        order = query.get("order", "").lower()
        if order in ("name", "emailaddress", "surname"):
            ids.sort(key=lambda row_id: (str(rows[row_id].get(order) or "").casefold(), row_id))
        if _is_true(query, "orderdesc"):
            ids.reverse()
        return ids

    def _candidates(self, resource: str, query: Mapping[str, str]) -> list[int]:
        records = self._records
        client_id, site_id = _number(query, "client_id", 0), _number(query, "site_id", 0)
        if resource == "Users" and site_id:
            return sorted(records.users_of[site_id])
        if resource == "Site" and client_id:
            return list(records.sites_of[client_id])
        if resource == "Users" and client_id:
            return sorted(user for site in records.sites_of[client_id] for user in records.users_of[site])
        return records.ids[resource]

    def _tests(self, resource: str, query: Mapping[str, str]) -> list[Any]:
        tests: list[Any] = []
        if not _is_true(query, "includeinactive"):
            tests.append(lambda row: not row.get("inactive"))
        if _is_true(query, "exclude_generaluser"):
            tests.append(lambda row: not row.get("_general"))
        if resource == "Client" and _number(query, "toplevel_id", 0):
            tests.append(lambda row: row.get("toplevel_id") == _number(query, "toplevel_id", 0))
        if needle := query.get("search", "").casefold():
            names = SEARCHED[resource]
            tests.append(lambda row: any(needle in str(row.get(name) or "").casefold() for name in names))
        since = query.get("lastupdatefromdate")
        if since and self._records.modes.last_update_filter == "honoured":
            tests.append(lambda row: row.get("_updated", UNSET_DATE) >= since[:19])
        if "advanced_search" in query:
            tests += [self._advanced(resource, item) for item in _advanced_items(query["advanced_search"])]
        return tests

    def _advanced(self, resource: str, item: Row) -> Any:
        name, kind, value = str(item.get("filter_name")), item.get("filter_type"), item.get("filter_value")
        golden = self._records.modes.golden_id_field
        is_golden = bool(golden) and name == golden and self._records.modes.is_golden_id_searchable
        compare = _COMPARISONS.get(kind if isinstance(kind, int) else -1)
        if (name not in SEARCHED_ADVANCED and not is_golden) or compare is None:
            raise Refused("Invalid advanced search parameter")

        def held(row: Row) -> Any:
            if is_golden:
                fields = self._records.custom_fields_of(resource, row)
                return next((field["value"] for field in fields if field["name"] == golden), None)
            return self._records.client_of(row) if name == "client_id" and resource == "Users" else row.get(name)

        return lambda row: compare(str(held(row) or "").casefold(), str(value or "").casefold())

    # -- shapes ---------------------------------------------------------------------------------------------------

    def thin(self, resource: str, row: Row, query: Mapping[str, str]) -> Row:
        """A row of a list."""
        shown = self._base(resource, row, THIN[resource])
        if resource == "Client" and _is_true(query, "include_website"):
            shown |= {"website": row.get("website") or "", "domain": row.get("domain") or ""}
        if resource == "Site" and _is_true(query, "includeaddress"):
            shown["delivery_address"] = row.get("delivery_address") or _blank_address()
        if wanted := query.get("include_custom_fields"):
            only_ids = {int(part) for part in wanted.split(",") if part.strip().isdigit()}
            shown["customfields"] = self._records.custom_fields_of(resource, row, only_ids)
        return shown

    def detail(self, resource: str, row: Row) -> Row:
        """A whole record."""
        own = tuple(name for name in row if not name.startswith("_"))
        shown = self._base(resource, row, (*THIN[resource], *own))
        shown |= {
            STAMP[resource]: row.get("_updated", UNSET_DATE),
            "datecreated": row.get("_created", UNSET_DATE),
            "customfields": self._records.custom_fields_of(resource, row),
        }
        if resource == "Client":
            shown |= {"website": row.get("website") or "", "domain": row.get("domain") or ""}
            site = self._records.rows["Site"].get(row.get("main_site_id", 0), {})
            shown |= {"main_site_id": row.get("main_site_id"), "main_phonenumber": site.get("phonenumber") or ""}
        if resource == "Site":
            shown["delivery_address"] = row.get("delivery_address") or _blank_address()
        if resource == "Users":
            shown["last_login"] = UNSET_DATE
        return shown

    def _base(self, resource: str, row: Row, names: Iterable[str]) -> Row:
        shown: Row = {"id": row["id"]}
        for name in names:
            value = row.get(name)
            shown[name] = "" if value is None else value
        for name in BOOLEANS[resource]:
            shown[name] = bool(row.get(name))
        if resource == "Site":
            shown["client_id"] = float(row["client_id"])
            shown["client_name"] = self._records.rows["Client"].get(row["client_id"], {}).get("name", "")
        if resource == "Users":
            client_id = self._records.client_of(row)
            shown |= {
                "site_id": float(row["site_id"]),
                "site_id_int": row["site_id"],
                "site_name": self._records.rows["Site"][row["site_id"]].get("name", ""),
                "client_id": client_id,
                "client_name": self._records.rows["Client"].get(client_id, {}).get("name", ""),
            }
        return shown


_COMPARISONS: Mapping[int, Any] = {
    0: lambda held, wanted: held in wanted.split(","),
    1: lambda held, wanted: held not in wanted.split(","),
    2: lambda held, wanted: held == wanted,
    3: lambda held, wanted: held != wanted,
    4: lambda held, wanted: wanted.strip("%") in held,
    5: lambda held, wanted: wanted.strip("%") not in held,
    7: lambda held, wanted: held > wanted,
    8: lambda held, wanted: held >= wanted,
    9: lambda held, wanted: held < wanted,
    10: lambda held, wanted: held <= wanted,
}


def _advanced_items(text: str) -> list[Row]:
    try:
        items = json.loads(text)
    except ValueError as error:
        raise Refused("Invalid advanced search parameter") from error
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise Refused("Invalid advanced search parameter")
    return items


def _blank_address() -> Row:
    return dict.fromkeys(("line1", "line2", "line3", "line4", "postcode"), "")


def _is_true(query: Mapping[str, str], name: str) -> bool:
    return query.get(name, "").lower() in ("true", "1")


def _number(query: Mapping[str, str], name: str, default: int) -> int:
    text = query.get(name, "")
    return int(text) if text.isdigit() else default
