"""The rules of publishing as data: their shape, their check, loading them.

Belongs here: what publishing.toml may say, and one clear line where it says something else. Does not: who the audience
is (audience.py), what a run may do (guard.py), the merge of a field (merge.py): they are handed these rules.
Surprise: a file of one's own says only what differs; the rest stays as shipped. So it goes on working when a new
version brings a new key.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from datetime import timedelta
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from transforms.contracts import TABLES

from assets.publishing import mapping
from assets.publishing.merge import Owner

SHIPPED = Path(__file__).parent / "publishing.toml"
DEMO = Path(__file__).parent / "demo.toml"  # for a simulated tenant: everybody, unguarded, without a first plan
EVERYBODY = "*"

Delivery = Literal["publisher", "feed", "both_for_test"]
Mode = Literal["create_only", "update_only", "upsert", "tracked", "off"]
Sharing = Literal["publish", "withhold", "leave_out"]
Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(strict=True, ge=0)]


class RulesError(ValueError):
    """A rules file is unreadable or wrong. One line: file, key, what was found, what was expected."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Deliveries(_Part):
    organisation: Delivery
    contact: Delivery


class Modes(_Part):
    organisation: Mode
    contact: Mode


class Condition(_Part):
    """One demand on one golden column; an empty cell meets `none_of` and `present = false` only."""

    field: str
    any_of: tuple[str | int | bool, ...] | None = None
    none_of: tuple[str | int | bool, ...] | None = None
    min: float | None = None
    max: float | None = None
    present: bool | None = None

    @model_validator(mode="after")
    def _demands_something(self) -> Condition:
        if all(value is None for value in (self.any_of, self.none_of, self.min, self.max, self.present)):
            raise ValueError(
                f"the condition on {self.field!r} demands nothing; add any_of, none_of, min, max or present."
            )
        return self


Segment = Annotated[tuple[Condition, ...], Field(min_length=1)]


class Segments(_Part):
    """By entity: name -> conditions that all must hold."""

    organisation: dict[str, Segment] = {}
    contact: dict[str, Segment] = {}


class AudienceRules(_Part):
    in_halo_only: bool
    opt_in: frozenset[str] = frozenset()
    suppressed: frozenset[str] = frozenset()
    contacts_per_organisation_max: Count
    do_not_call: Sharing
    unverified_email: Sharing
    segments: Segments = Segments()


class Owners(_Part):
    Client: dict[str, Owner]
    Site: dict[str, Owner]
    Users: dict[str, Owner]


class Limit(_Part):
    """How much of one operation a run may do, per entity; `share` None: only the count bounds."""

    count: Count
    share: Share | None = None


class GuardRules(_Part):
    is_on: bool
    free: Count
    source_shrink_max: Share
    creates: Limit
    updates: Limit
    retires: Limit


class CreateDefaults(_Part):
    Client: dict[str, Any] = {}
    Site: dict[str, Any] = {}
    Users: dict[str, Any] = {}


class Limits(_Part):
    attempts_max: Annotated[int, Field(strict=True, ge=1)]


class Rules(_Part):
    """The whole file; its head comments say what each key means."""

    new_organisations: Literal["client", "prospect"]
    plan_first: bool
    mirror_age_max_h: Annotated[float, Field(gt=0)]
    plan_age_max_h: Annotated[float, Field(gt=0)]
    delivery: Deliveries
    mode: Modes
    audience: AudienceRules
    owners: Owners
    guard: GuardRules
    create_defaults: CreateDefaults = CreateDefaults()
    limits: Limits

    @model_validator(mode="after")
    def _fits_the_fields(self) -> Rules:
        problem = next(_problems(self), None)
        if problem:
            raise ValueError(problem)
        return self

    @property
    def mirror_age_max(self) -> timedelta:
        return timedelta(hours=self.mirror_age_max_h)

    @property
    def plan_age_max(self) -> timedelta:
        return timedelta(hours=self.plan_age_max_h)

    def owners_of(self, resource: str) -> Mapping[str, Owner]:
        """Field -> owner, in the order in which fields are written."""
        named: Mapping[str, Owner] = getattr(self.owners, resource)
        return {name: named[name] for name in mapping.FIELDS[resource]}

    def mode_of(self, entity: str) -> Mode:
        """The mode of an entity; one that the feed alone delivers is off."""
        return "off" if getattr(self.delivery, entity) == "feed" else getattr(self.mode, entity)

    def defaults_of(self, resource: str) -> dict[str, Any]:
        """What every created record of this tenant carries, in HaloPSA's names."""
        is_prospect = resource == mapping.CLIENT and self.new_organisations == "prospect"
        return {**({"is_account": True} if is_prospect else {}), **getattr(self.create_defaults, resource)}


def load_rules(path: Path) -> Rules:
    """The shipped rules with what a TOML file says instead; a list replaces a list.

    Raises:
        RulesError: it cannot be read, is no TOML, or says what no rules file may say.
    """
    own = _read(path)
    try:
        return Rules.model_validate(_overlaid(_read(SHIPPED), own))
    except ValidationError as error:
        raise RulesError(f"{path}: {_in_words(error)}") from error


@lru_cache(maxsize=1)
def shipped_rules() -> Rules:
    return load_rules(SHIPPED)


@lru_cache(maxsize=1)
def demo_rules() -> Rules:
    return load_rules(DEMO)


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise RulesError(f"{path}: cannot be read ({error.strerror}).") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise RulesError(f"{path}: is no TOML in UTF-8: {error}.") from error


def _overlaid(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    both = {
        name: _overlaid(below[name], value) if isinstance(value, dict) and isinstance(below.get(name), dict) else value
        for name, value in above.items()
    }
    return {**below, **both}


def _problems(rules: Rules) -> Iterator[str]:
    for resource, fields in mapping.FIELDS.items():
        named = getattr(rules.owners, resource)
        for name in named:
            if name not in fields:
                yield f"owners.{resource}: {name!r} is no field that is published{_meant(name, fields)}"
        missing = [name for name in fields if name not in named]
        if missing:
            yield f"owners.{resource}: nobody owns {', '.join(missing)}; every field that is published needs an owner."
    for entity in mapping.RESOURCES_OF:
        columns = TABLES[f"golden.{entity}"].column_names
        for name, segment in getattr(rules.audience.segments, entity).items():
            for condition in segment:
                if condition.field not in columns:
                    place = f"audience.segments.{entity}.{name}"
                    hint = _meant(condition.field, columns)
                    yield f"{place}: golden.{entity} has no column {condition.field!r}{hint}"
    if EVERYBODY in rules.audience.suppressed:
        yield f"audience.suppressed: {EVERYBODY!r} would leave nobody; use mode = off instead."


def _meant(word: object, known: Iterator[str] | tuple[str, ...] | list[str]) -> str:
    """The end of a sentence about an unknown word."""
    words = list(known)
    close = get_close_matches(str(word), words, n=1)
    return f"; did you mean {close[0]!r}?" if close else f"; expected one of: {', '.join(words)}."


def _in_words(error: ValidationError) -> str:
    """The first problem as one line."""
    first = error.errors(include_url=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    if first["type"] == "value_error":
        inner = str(first["ctx"]["error"])
        return f"{place}: {inner}" if place else inner
    if first["type"] == "missing":
        return f"{place} is missing; add it."
    if first["type"] == "extra_forbidden":
        model = _model_at(first["loc"][:-1])
        return f"{place} is no key of this file{_meant(first['loc'][-1], list(model.model_fields))}"
    if first["type"] == "literal_error":
        expected = first["ctx"]["expected"]
        close = get_close_matches(str(first["input"]), expected.replace("'", "").replace(" or ", ", ").split(", "), n=1)
        return f"{place} is {first['input']!r}" + (
            f"; did you mean {close[0]!r}?" if close else f"; expected {expected}."
        )
    return f"{place} is {first['input']!r}: {first['msg']}."


def _model_at(path: tuple[int | str, ...]) -> type[BaseModel]:
    """The part of the file in which an unknown key stands."""
    model: type[BaseModel] = Rules
    for part in path:
        annotation = model.model_fields[str(part)].annotation if str(part) in model.model_fields else None
        candidates = [annotation, *getattr(annotation, "__args__", ())]
        model = next((kind for kind in candidates if isinstance(kind, type) and issubclass(kind, BaseModel)), model)
        if isinstance(part, int):
            model = Condition
    return model
