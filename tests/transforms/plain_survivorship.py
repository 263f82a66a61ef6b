"""Survivorship once more, in plain Python, one golden record at a time: what the kernel must agree with.

Belongs here: the rules as docs/survivorship.md words them, without Arrow, numpy or speed. Does not: any test.
Surprise: nothing of the kernel is imported, only the rules file's models, so a mistake cannot be made in both at once.
"""

from __future__ import annotations

import json
from typing import Any

from transforms.survivorship.rules import EntityRules, Group, Rules

Record = dict[str, Any]
Cell = tuple[str | None, str | None, str, str]  # value, record_key, rule, losers


def derive(records: list[Record], entity: str, rules: Rules) -> dict[str, Cell]:
    """The provenance of one golden record: field -> cell. `records` are its members with their locks."""
    ordered = sorted(records, key=lambda record: record["record_key"])
    locks = _latest_locks(ordered)
    entity_rules: EntityRules = getattr(rules, entity)
    cells: dict[str, Cell] = {}
    for group in sorted(entity_rules.groups, key=lambda group: "organisation_golden_id" not in group.fields):
        employer = cells.get("organisation_golden_id", (None,))[0]
        cells |= _group_cells(ordered, group, group.sources or rules.sources, locks, employer)
    return cells


def _group_cells(records, group: Group, sources, locks, employer) -> dict[str, Cell]:
    speakers = [record for record in records if _value(record, group) is not None]
    lead = group.fields[0]
    follows_lock = lead in locks and not group.loose

    candidates = speakers
    rule = "only"
    if follows_lock:
        candidates = [record for record in candidates if _value(record, group) == (0, locks[lead][0])]
        rule = "lock"
    elif group.agreement > 1:
        agreed = [record for record in candidates if _votes(record, speakers, group) >= group.agreement]
        rule = "agreement" if len(agreed) < len(candidates) else "only"
        candidates = agreed
    winner, decided = _contest(candidates, speakers, group, sources, employer)
    if not follows_lock and decided is not None:
        rule = decided

    best_first = sorted(
        speakers, key=lambda record: [_rank(r, record, speakers, group, sources, employer) for r in group.rules]
    )
    cells: dict[str, Cell] = {}
    for field in group.fields:
        value, key, why = (None, None, rule)
        if winner is not None:
            value, key = _text(winner[field]), winner["record_key"]
        if winner is not None and field == group.any:
            value, key = _any(winner, candidates, group, field)
            why = "any" if value is not None else rule
        if field in locks:
            (value, key), why = locks[field], "lock"
        losers: list[list[str]] = []
        for record in best_first:
            said = _text(record[field])
            if said is not None and said != value and said not in [loser[1] for loser in losers]:
                losers.append([record["record_key"], said])
        emptied = field in locks or (winner is None and losers)
        if value is not None or emptied:
            kept = json.dumps(losers, ensure_ascii=False, separators=(",", ":"))
            cells[field] = (value, key, why, kept)
    return cells


def _contest(candidates, speakers, group: Group, sources, employer) -> tuple[Record | None, str | None]:
    """The winner and the rule that left its value alone; no rule where there was nothing to decide."""
    if not candidates:
        return None, None
    left, decided = candidates, None
    for rule in (*group.rules, "first"):
        was_open = len({_value(record, group) for record in left}) > 1
        if rule == "first":
            left = left[:1]
        else:
            ranks = [_rank(rule, record, speakers, group, sources, employer) for record in left]
            left = [record for record, rank in zip(left, ranks, strict=True) if rank == min(ranks)]
        if was_open and len({_value(record, group) for record in left}) == 1:
            decided = rule
    return left[0], decided


def _rank(rule, record, speakers, group: Group, sources, employer) -> float:
    if rule == "vote":
        return -_votes(record, speakers, group)
    if rule == "recency":
        moment = record["source_updated_at"]
        return float("inf") if moment is None else -moment.timestamp()
    if rule == "verified":
        order = ["verified", "risky", "unknown", "guessed", "invalid", None]
        return order.index(record["email_status"])
    if rule == "priority":
        return sources.index(_voice(record)) if _voice(record) in sources else len(sources)
    if rule == "longest":
        return -len(_value(record, group)[1])
    if rule == "leading":
        return _value(record, group)[0]
    if rule == "completeness":
        return -sum(record[field] is not None for field in group.fields)
    assert rule == "employer"
    theirs = record["organisation_golden_id"]
    return 0 if theirs is not None and theirs == employer else 1


def _value(record, group: Group) -> tuple[int, str] | None:
    """(which field, what) a record says of the group; in a loose group the first field that it has."""
    heard_by = [field for field in group.fields if field != group.any] if group.loose else group.fields[:1]
    said = [(place, _text(record[field])) for place, field in enumerate(heard_by) if record[field] is not None]
    return said[0] if said else None


def _votes(record, speakers, group: Group) -> int:
    return len({_voice(other) for other in speakers if _value(other, group) == _value(record, group)})


def _voice(record) -> str:
    return record["record_key"].split(":")[1] if record["source"] == "exports" else record["source"]


def _any(winner, candidates, group: Group, field) -> tuple[str | None, str | None]:
    same = [record for record in candidates if _value(record, group) == _value(winner, group)]
    same = [winner, *(record for record in same if record is not winner)]
    for wanted in (True, False):
        for record in same:
            if record[field] is wanted:
                return _text(wanted), record["record_key"]
    return None, None


def _latest_locks(records) -> dict[str, tuple[str | None, str]]:
    locks = [(lock["seq"], lock, record["record_key"]) for record in records for lock in record["locks"] or []]
    found: dict[str, tuple[str | None, str]] = {}
    for _, lock, key in sorted(locks, key=lambda item: -item[0]):  # of one seq the smallest record_key stays first
        found.setdefault(lock["field"], (lock["value"], key))
    return found


def _text(value) -> str | None:
    if value is None:
        return None
    return str(value).lower() if isinstance(value, bool) else str(value)
