"""The survivorship kernel: whole clusters in, the provenance of every golden cell out.

Belongs here: choosing the record that a group's cells come from, naming the rule that decided, keeping the losers.
Does not: how a rule orders records (ranks.py), the golden rows (sql/golden, read off the provenance).
Surprise: nothing is sorted to find a winner. Each rule keeps the records that are best by it, until one is left; only
the losers, who are few, are put in order.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from json.encoder import encode_basestring

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transforms.contracts import TABLES
from transforms.kernels.standardise import arrow_schema
from transforms.survivorship.members import FREE, SILENT, Column, Members, Numbers
from transforms.survivorship.ranks import Speech, ranks, voices_of_value
from transforms.survivorship.rules import EMPLOYER_FIELD, Group, Rules

PROVENANCE_SCHEMA = arrow_schema(TABLES["golden.provenance"])
NOBODY = -1
NO_LOSERS = "[]"

Flags = npt.NDArray[np.bool_]


@dataclass
class Cells:
    """One field of every cluster: the code of its value, the row it comes from, the rule, the column's texts."""

    code: Numbers
    row: Numbers
    rule: npt.NDArray[np.object_]
    column: Column


@dataclass(frozen=True)
class Choice:
    """Per cluster the winning row (NOBODY where none may win) and the rule that decided."""

    row: Numbers
    rule: npt.NDArray[np.object_]


def survive(batch: pa.RecordBatch, *, entity: str, rules: Rules) -> pa.RecordBatch:
    """golden.<entity>_member, whole clusters in any order -> golden.provenance rows."""
    members = Members(batch)
    groups: tuple[Group, ...] = getattr(rules, entity).groups
    employed: Numbers | None = None
    parts = []
    # The employer's group goes first: others follow the organisation that won there.
    for group in sorted(groups, key=lambda group: EMPLOYER_FIELD not in group.fields):
        speech = Speech.of(members, group, group.sources or rules.sources, employed)
        for field, cells, losers in _settle(members, speech):
            parts.append(_rows(members, field, cells, losers))
            if field == EMPLOYER_FIELD:
                codes = cells.column.codes
                employed = ((codes == SILENT) | (codes != cells.code[members.cluster])).astype(np.int64)
    return pa.concat_batches(parts)


def _settle(members: Members, speech: Speech) -> Iterator[tuple[str, Cells, tuple[Numbers, pa.Array]]]:
    """The cells of one group, field by field, each with its losers."""
    group, lead = speech.group, speech.columns[speech.group.fields[0]]
    order = ranks(speech)
    follows = np.zeros(members.clusters, bool) if group.loose else lead.locked != FREE
    choice = _choose(members, speech, order, follows, lead)
    cells_of = {field: _cells(members, speech, choice, field) for field in group.fields}
    losing = _in_order(speech, order, cells_of)
    for field, cells in cells_of.items():
        yield field, cells, _losers(members, speech, losing, cells)


def _choose(members: Members, speech: Speech, order: dict[str, Numbers], follows: Flags, lead: Column) -> Choice:
    """The rules of one group. `follows`: clusters whose cells must belong to the locked value of the first field."""
    cluster, value = speech.cluster, speech.value
    may_win = ~follows[cluster] | (value == lead.locked[cluster])
    heard = may_win
    if speech.group.agreement > 1:
        heard = may_win & (follows[cluster] | (voices_of_value(speech) >= speech.group.agreement))
    left = heard
    for rank in order.values():
        left = left & (rank == _least(members, cluster, np.where(left, rank, np.iinfo(np.int64).max))[cluster])
    position = _least(members, cluster, np.where(left, np.arange(len(left)), len(left)))
    is_settled = position < len(left)
    place = np.where(is_settled, position, 0)
    row = np.where(is_settled, speech.row[place] if len(left) else NOBODY, NOBODY)
    rule = _deciding(members, speech, order, place, heard, may_win)
    rule[follows] = "lock"
    return Choice(row, rule)


def _deciding(
    members: Members, speech: Speech, order: dict[str, Numbers], place: Numbers, heard: Flags, may_win: Flags
) -> npt.NDArray[np.object_]:
    """Per cluster the first rule that left only the winning value; `first` on a dead tie, `only` without a contest."""
    names = np.array(["only", "agreement", *order, "first"], object)
    decided = np.zeros(members.clusters, np.int64)
    decided[speech.cluster[may_win & ~heard]] = 1
    rival = np.flatnonzero(heard & (speech.value != speech.value[place[speech.cluster]]))
    winner = place[speech.cluster[rival]]
    beaten_by = np.full(len(rival), len(names) - 1)
    for number, rank in reversed(list(enumerate(order.values(), start=2))):
        beaten_by[rank[rival] != rank[winner]] = number
    np.maximum.at(decided, speech.cluster[rival], beaten_by)
    return names[decided]


def _cells(members: Members, speech: Speech, choice: Choice, field: str) -> Cells:
    column, rule = speech.columns[field], choice.rule.copy()
    row = choice.row.copy()
    if field == speech.group.any:
        row = _true_if_any(members, speech, choice, column)
        rule[row != NOBODY] = "any"
    code = np.where(row == NOBODY, SILENT, column.codes[row])
    is_locked = column.locked != FREE
    code[is_locked], row[is_locked], rule[is_locked] = column.locked[is_locked], column.lock_row[is_locked], "lock"
    return Cells(code, row, rule, column)


def _true_if_any(members: Members, speech: Speech, choice: Choice, column: Column) -> Numbers:
    """Per cluster the row that says true of the winning value, else one that says false; the winner where it can be."""
    value_of = np.full(len(members.cluster), SILENT)
    value_of[speech.row] = speech.value
    winning = np.where(choice.row == NOBODY, FREE, value_of[choice.row])
    of_winner = np.flatnonzero((speech.value == winning[speech.cluster]) & (column.codes[speech.row] != SILENT))
    row, cluster = speech.row[of_winner], speech.cluster[of_winner]
    is_true = np.array([text == "true" for text in column.text.to_pylist()], bool)[column.codes[row]]
    rank = 2 * ~is_true + (row != choice.row[cluster])
    best = _least(members, cluster, rank * len(members.cluster) + row)
    return np.where(best == np.iinfo(np.int64).max, choice.row, best % len(members.cluster))


def _least(members: Members, cluster: Numbers, number: Numbers) -> Numbers:
    """The least number of each cluster; the largest integer where it has none. `cluster` ascends."""
    least = np.full(members.clusters, np.iinfo(np.int64).max)
    if len(cluster):
        starts = np.flatnonzero(np.diff(cluster, prepend=-1))
        least[cluster[starts]] = np.minimum.reduceat(number, starts)
    return least


def _in_order(speech: Speech, order: dict[str, Numbers], cells_of: dict[str, Cells]) -> Numbers:
    """Positions of speakers that lost any cell, cluster by cluster, best first."""
    lost = np.zeros(len(speech.row), bool)
    for cells in cells_of.values():
        lost |= _has_lost(speech, cells)
    losing = np.flatnonzero(lost)
    keys = [losing, *(rank[losing] for rank in reversed(order.values())), speech.cluster[losing]]
    return losing[np.lexsort(keys)]


def _has_lost(speech: Speech, cells: Cells) -> Flags:
    said = cells.column.codes[speech.row]
    return (said != SILENT) & (said != cells.code[speech.cluster])


def _losers(members: Members, speech: Speech, losing: Numbers, cells: Cells) -> tuple[Numbers, pa.Array]:
    """Clusters, and for each the JSON list of [record_key, value], one for each value that differs from the cell's."""
    position = losing[_has_lost(speech, cells)[losing]]
    cluster, code = speech.cluster[position], cells.column.codes[speech.row[position]]
    _, first = np.unique(cluster * len(cells.column.text) + code, return_index=True)
    first.sort()  # back to best first
    cluster = cluster[first]
    starts = np.flatnonzero(np.diff(cluster, prepend=-1))
    keys = _quoted(members.record_key.take(pa.array(speech.row[position[first]])))
    values = _quoted(cells.column.text.take(pa.array(code[first])))
    pairs = pc.binary_join_element_wise("[", keys, ",", values, "]", "")
    edges = pa.array(np.append(starts, len(first)), pa.int32())
    lists = pc.binary_join(pa.ListArray.from_arrays(edges, pairs), ",")
    return cluster[starts], pc.binary_join_element_wise("[", lists, "]", "")


def _quoted(texts: pa.Array) -> pa.Array:
    return pa.array([encode_basestring(text) for text in texts.to_pylist()], pa.string())


def _rows(members: Members, field: str, cells: Cells, losers: tuple[Numbers, pa.Array]) -> pa.RecordBatch:
    """Cells with a value, and those that a lock or the minimum agreement left empty."""
    lost = np.zeros(members.clusters, np.int64)  # 0 is NO_LOSERS
    lost[losers[0]] = np.arange(1, len(losers[0]) + 1)
    is_emptied = ((cells.rule == "lock") | (cells.rule == "agreement")) & (lost > 0) & (cells.row == NOBODY)
    here = np.flatnonzero((cells.code != SILENT) | (cells.column.locked == SILENT) | is_emptied)
    code, row = cells.code[here], cells.row[here]
    return pa.RecordBatch.from_arrays(
        [
            members.golden_id.take(pa.array(here)),
            pa.repeat(pa.scalar(field), len(here)),
            cells.column.text.take(pa.array(code, mask=code == SILENT)),
            members.record_key.take(pa.array(row, mask=row == NOBODY)),
            pa.array(cells.rule[here], pa.string()),
            pa.concat_arrays([pa.array([NO_LOSERS]), losers[1]]).take(pa.array(lost[here])),
        ],
        schema=PROVENANCE_SCHEMA,
    )
