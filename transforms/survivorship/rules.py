"""The rules of survivorship as data: their shape, their check against the golden contracts, loading them.

Belongs here: what a rules file may say, and one clear line where it says something else. Does not: what a rule does to
records (kernel.py). Surprise: the file must name every value column of the golden contracts exactly once, so a new
column cannot be forgotten and no column can follow two groups.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from transforms.contracts import ENTITIES, TABLES

SHIPPED = Path(__file__).parent / "survivorship.toml"
VENDORS = ("apollo", "zoominfo", "uplead")
EMPLOYER_FIELD = "organisation_golden_id"
# Columns of golden tables that are not chosen from records: (golden.<entity>).sql makes them.
MADE = ("golden_id", "sources", "record_count", "content_hash", "updated_at")

Rule = Literal["vote", "recency", "verified", "priority", "longest", "leading", "completeness", "employer"]
Some = Field(min_length=1)


class RulesError(ValueError):
    """A rules file is unreadable or wrong. One line: file, group, what was found, what was expected."""


class Group(BaseModel):
    """Fields that travel together, from one record; see the head of survivorship.toml."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    fields: Annotated[tuple[str, ...], Some]
    rules: Annotated[tuple[Rule, ...], Some]
    any: str | None = None
    loose: bool = Field(default=False, strict=True)
    agreement: int = Field(default=1, strict=True, ge=1, le=len(VENDORS))
    sources: Annotated[tuple[str, ...], Some] | None = None


class EntityRules(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    groups: Annotated[tuple[Group, ...], Some]


class Rules(BaseModel):
    """The whole file. Every value column of the golden contracts has exactly one group."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sources: Annotated[tuple[str, ...], Some]
    contact: EntityRules
    organisation: EntityRules

    @model_validator(mode="after")
    def _fits_the_contracts(self) -> Rules:
        problem = next(_problems(self), None)
        if problem:
            raise ValueError(problem)
        return self


def load_rules(path: Path) -> Rules:
    """The rules of a TOML file.

    Raises:
        RulesError: it cannot be read, is no TOML, or says what no rules file may say.
    """
    try:
        data = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise RulesError(f"{path}: cannot be read ({error.strerror}).") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise RulesError(f"{path}: is no TOML in UTF-8: {error}.") from error
    try:
        return Rules.model_validate(data)
    except ValidationError as error:
        raise RulesError(f"{path}: {_in_words(error, data)}") from error


@lru_cache(maxsize=1)
def shipped_rules() -> Rules:
    return load_rules(SHIPPED)


def value_types(entity: str) -> dict[str, str]:
    """The golden columns that survive from records, with their types."""
    return {column.name: column.type for column in TABLES[f"golden.{entity}"].columns if column.name not in MADE}


def _problems(rules: Rules) -> Iterator[str]:
    yield from _sources_problems("sources", rules.sources)
    for entity in ENTITIES:
        groups: tuple[Group, ...] = getattr(rules, entity).groups
        for number, group in enumerate(groups):
            yield from _group_problems(entity, _place(entity, number, group.fields), group)
        yield from _coverage_problems(entity, groups)


def _group_problems(entity: str, place: str, group: Group) -> Iterator[str]:
    types = value_types(entity)
    for field in group.fields:
        if field not in types:
            yield f"{place}: golden.{entity} has no column {field!r}{_meant(field, types)}"
    for rule in sorted(name for name, times in Counter(group.rules).items() if times > 1):
        yield f"{place}: rule {rule!r} is there twice; name it once."
    if group.sources is not None:
        yield from _sources_problems(f"{place}: sources", group.sources)
        if "priority" not in group.rules:
            yield f"{place}: sources are given, but no rule 'priority' would use them; add it or delete sources."
    yield from _rule_problems(entity, place, group, types)


def _rule_problems(entity: str, place: str, group: Group, types: Mapping[str, str]) -> Iterator[str]:
    """A rule that could not work on the group's columns."""
    first = group.fields[0]
    if "longest" in group.rules and types[first] != "varchar":
        yield f"{place}: rule 'longest' compares texts, but {first} is {types[first]}; use another rule."
    if "verified" in group.rules and "email_status" not in group.fields:
        yield f"{place}: rule 'verified' goes by email_status, which is not in this group; use another rule."
    if "completeness" in group.rules and len(group.fields) == 1:
        yield f"{place}: rule 'completeness' counts the fields of a group, but this has one; use another rule."
    if "employer" in group.rules and (entity != "contact" or EMPLOYER_FIELD in group.fields):
        yield f"{place}: rule 'employer' follows a contact's {EMPLOYER_FIELD}, so not here; use another rule."
    if "leading" in group.rules and not group.loose:
        yield f"{place}: rule 'leading' is for groups with loose = true; add that or use another rule."
    if group.loose and len(group.fields) == 1:
        yield f"{place}: loose is about the fields after the first, but this has one; delete it."
    if group.any is None:
        return
    if group.any not in group.fields[1:]:
        yield f"{place}: any = {group.any!r} is not a field of this group after its first; name one of them."
    elif types[group.any] != "boolean":
        yield f"{place}: any = {group.any!r} is {types[group.any]}, expected a boolean column; delete it."


def _coverage_problems(entity: str, groups: tuple[Group, ...]) -> Iterator[str]:
    place_of: dict[str, str] = {}
    for number, group in enumerate(groups):
        place = _place(entity, number, group.fields)
        for field in group.fields:
            if field in place_of:
                yield f"{place}: field {field!r} is already in {place_of[field]}; name each field once."
            place_of[field] = place
    missing = [field for field in value_types(entity) if field not in place_of]
    if missing:
        yield f"{entity}: no group has {', '.join(missing)}; every value column of golden.{entity} needs one."


def _sources_problems(place: str, sources: tuple[str, ...]) -> Iterator[str]:
    for source, times in Counter(sources).items():
        if source not in VENDORS:
            yield f"{place}: {source!r} is no source; expected some of: {', '.join(VENDORS)}."
        if times > 1:
            yield f"{place}: {source!r} is there twice; name it once."


def _place(entity: str, number: int, fields: object) -> str:
    named = f" ({', '.join(map(str, fields))})" if isinstance(fields, list | tuple) and fields else ""
    return f"{entity} group {number + 1}{named}"


def _meant(word: object, known: Mapping[str, Any] | tuple[str, ...]) -> str:
    """The end of a sentence about an unknown word."""
    close = get_close_matches(str(word), list(known), n=1)
    return f"; did you mean {close[0]!r}?" if close else f"; expected one of: {', '.join(known)}."


def _in_words(error: ValidationError, data: dict[str, Any]) -> str:
    """The first problem as one line, with the group by number and fields."""
    first = error.errors(include_url=False)[0]
    if first["type"] == "value_error":
        return str(first["ctx"]["error"])
    match first["loc"]:
        case (str(entity), "groups", int(number), *inner):
            group = data[entity]["groups"][number]
            place = _place(entity, number, group.get("fields") if isinstance(group, dict) else None) + ": "
            model: type[BaseModel] = Group
        case (str(entity), *inner) if entity in ENTITIES and inner:
            place, model = f"{entity}: ", EntityRules
        case inner:
            place, model = "", Rules
    return place + _what(first["type"], str(inner[0]) if inner else "it", first["input"], first["msg"], model)


def _what(kind: str, key: str, found: object, message: str, model: type[BaseModel]) -> str:
    if kind == "missing":
        return f"{key} is missing; add it."
    if kind == "extra_forbidden":
        return f"unknown key {key!r}{_meant(key, tuple(model.model_fields))}"
    if kind == "literal_error" and found == "lock":
        return "'lock' is no rule to name: what a steward locked always wins; delete it."
    if kind == "literal_error":
        return f"unknown rule {found!r}{_meant(found, get_args(Rule))}"
    return f"{key} is {found!r}: {message}."
