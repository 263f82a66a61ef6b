"""How each rule orders the records that speak of a group: one number a record, small is better.

Belongs here: who speaks of a group and what each rule makes of them. Does not: which record wins (kernel.py).
Surprise: `vote` counts voices, not records: a vendor that holds a person twice, or also as an export, has one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.survivorship.members import SILENT, Column, Members, Numbers
from transforms.survivorship.rules import Group, Rule

STATUS_ORDER = {"verified": 0, "risky": 1, "unknown": 2, "guessed": 3, "invalid": 4}


@dataclass(frozen=True)
class Speech:
    """The records that speak of a group, in the order of Members.

    Attributes:
        row, cluster: of each speaker.
        value: the code of what it says, which is voted on and compared; of a loose group the first field that it has.
        depth: which field of the group that was; 0 where the group is not loose.
        text: the texts of `value`.
        sources: order of priority. employed: per row 0 beside the winning organisation, else 1; None at organisations.
    """

    members: Members
    group: Group
    columns: dict[str, Column]
    sources: tuple[str, ...]
    employed: Numbers | None
    row: Numbers
    cluster: Numbers
    value: Numbers
    depth: Numbers
    text: pa.Array

    @classmethod
    def of(cls, members: Members, group: Group, sources: tuple[str, ...], employed: Numbers | None) -> Speech:
        columns = {field: members.column(field) for field in group.fields}
        heard_by = [columns[field] for field in group.fields if field != group.any] if group.loose else []
        value = columns[group.fields[0]].codes.copy()
        depth, texts = np.zeros_like(value), [columns[group.fields[0]].text]
        for number, column in enumerate(heard_by[1:], start=1):
            next_heard = (value == SILENT) & (column.codes != SILENT)
            value[next_heard] = column.codes[next_heard] + sum(map(len, texts))
            depth[next_heard] = number
            texts.append(column.text)
        row = np.flatnonzero(value != SILENT)
        return cls(
            members=members,
            group=group,
            columns=columns,
            sources=sources,
            employed=employed,
            row=row,
            cluster=members.cluster[row],
            value=value[row],
            depth=depth[row],
            text=pa.concat_arrays(texts),
        )


def ranks(speech: Speech) -> dict[str, Numbers]:
    """Rule -> rank of each speaker, in the order in which the rules are tried."""
    return {rule: _rank(speech, rule) for rule in speech.group.rules}


def voices_of_value(speech: Speech) -> Numbers:
    """How many voices say what a speaker says, in its cluster."""
    voice, names = speech.members.voice
    said = speech.cluster * len(speech.text) + speech.value
    by_voice = np.sort(said * len(names) + voice[speech.row])  # np.unique was the slowest line of the kernel
    distinct = by_voice[np.diff(by_voice, prepend=-1) != 0] // len(names)
    starts = np.flatnonzero(np.diff(distinct, prepend=-1))
    voices = np.diff(starts, append=len(distinct))
    return voices[np.searchsorted(distinct[starts], said)]


def _rank(speech: Speech, rule: Rule) -> Numbers:
    row = speech.row
    match rule:
        case "vote":
            return -voices_of_value(speech)
        case "recency":
            return speech.members.age[row]
        case "priority":
            voice, names = speech.members.voice
            return _places(names, {name: place for place, name in enumerate(speech.sources)})[voice[row]]
        case "longest":
            return -pc.utf8_length(speech.text).to_numpy().astype(np.int64)[speech.value]
        case "verified":
            status = speech.columns["email_status"]
            return _places([*status.text.to_pylist(), None], STATUS_ORDER)[status.codes[row]]  # SILENT is the last
        case "leading":
            return speech.depth
        case "completeness":
            return -np.sum([column.codes[row] != SILENT for column in speech.columns.values()], axis=0)
        case "employer":
            assert speech.employed is not None, "the employer's group is settled first"
            return speech.employed[row]


def _places(names: list[str | None] | list[str], place_of: dict[str, int]) -> Numbers:
    """The place of each name; strangers share the last."""
    return np.array([place_of.get(name or "", len(place_of)) for name in names], np.int64)
