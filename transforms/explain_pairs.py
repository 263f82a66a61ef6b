"""The story of a pair: its evidence, what decides, whether it ever met, and what became of it.

Belongs here: joining explanation (explain.py), tables (explain_records.py) and clustering (explain_joins.py) into plain
sentences. Does not: drawing them (orchestration).
Surprise: a pair that no run compared is compared now, and told with the keys it shares and why those did not do.
"""

from __future__ import annotations

from dataclasses import dataclass

from transforms.explain import Explanation, explain
from transforms.explain_joins import bits, key_pair, outcome
from transforms.explain_records import POINTS_NEEDED, Evidence, Record, SharedKey, Told
from transforms.explain_words import verdict


@dataclass(frozen=True)
class PairStory:
    """`keys` are told of a pair that no run compared; `is_replayed`: the stored weight is the one computed here."""

    left: Record
    right: Record
    explanation: Explanation
    told: dict[str, Told]
    is_compared: bool
    is_replayed: bool
    keys: list[SharedKey]
    why: list[str]

    @property
    def is_joined(self) -> bool:
        return self.left.golden_id == self.right.golden_id


def pair_story(evidence: Evidence, left: Record, right: Record) -> PairStory:
    """Why two records are, or are not, one."""
    edge = next(iter(evidence.edges([left.rid, right.rid])), None)
    decision = evidence.decisions([left.key]).get(key_pair(left, right))
    pattern = evidence.pattern(left, right) if edge is None else edge.pattern
    sources = sorted((left.source, right.source))
    explanation = explain(evidence.model, pattern, sources[0], sources[1], decision=decision)
    keys = evidence.shared_keys(left, right) if edge is None else []
    is_replayed = edge is None or edge.milli == explanation.stored_milli
    why = [_verdict(explanation), *_deciding(explanation)]
    if edge is None:
        why.append(_unmet(keys))
    if not is_replayed:
        why.append("The stored weight of this pair is another one: it was made by a model that is no longer kept.")
    why.append(outcome(evidence, left, right, explanation.stored_milli if edge else evidence.never_met_milli))
    return PairStory(left, right, explanation, evidence.told(left, right), edge is not None, is_replayed, keys, why)


def _verdict(explanation: Explanation) -> str:
    said, evidence = (verdict(explanation.entity, same) for same in (explanation.is_same, explanation.milli > 0))
    figures = f"{bits(explanation.milli)}, probability {_percent(explanation.probability)}"
    if explanation.decision is None:
        return f"The evidence says {said}: {figures}."
    return f"Somebody decided: {said}. The evidence alone says {evidence}: {figures}."


def _percent(probability: float) -> str:
    if probability < 0.0001:
        return "below 0.01%"
    return "above 99.99%" if probability > 0.9999 else f"{probability:.2%}"


def _deciding(explanation: Explanation) -> list[str]:
    if explanation.decision is not None:
        return []
    if explanation.milli_without is None:
        return ["Nothing that was said decides: too little was."]
    words = {term.name: term.words for term in explanation.terms}
    named = "; ".join(words[name] for name in explanation.deciding)
    them = "it" if len(explanation.deciding) == 1 else "these"
    without = bits(explanation.milli_without)
    return [f"What decides: {named}. Without {them} the score is {without}: the other answer."]


def _unmet(keys: list[SharedKey]) -> str:
    if not keys:
        return "No run compared them: they share none of the keys under which records meet."
    points = sum(key.points for key in keys)
    rules = ", ".join(f"{key.rule.replace('_', ' ')} ({key.why})" for key in keys[:3])
    return f"No run compared them: what they share makes {points} of the {POINTS_NEEDED} points needed: {rules}."
