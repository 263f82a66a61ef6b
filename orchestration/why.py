"""Evidence for or against a pair of records, or the whole story of a golden record.

Belongs here: flags, and which record or golden record is meant. Does not: where it is looked up (why_tables.py), the
story (transforms/explain*.py), its one form for all outputs (why_report.py), drawing (why_screen.py, why_page.py).
Surprise: it reads the inspection copy and waits for no run. Personal data is shown, for it was asked for; nothing of it
is logged.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console
from transforms.contracts import ENTITIES
from transforms.explain_clusters import ClusterStory, cluster_story
from transforms.explain_pairs import pair_story
from transforms.explain_records import Record

from orchestration import settings as settings_module
from orchestration.exits import Exit, Stop
from orchestration.settings import Settings, SettingsError
from orchestration.why_page import page
from orchestration.why_report import Report, golden_report, gone_report, pair_report
from orchestration.why_screen import show
from orchestration.why_tables import Tables, of_data, of_state


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("names", nargs="+", metavar="ID", help="one golden id (or record key), or two record keys")
    parser.add_argument("--entity", choices=ENTITIES, help="needed only where a record key is one of both")
    parser.add_argument("--state", type=Path, metavar="DIR", help="ask the state of `resolve --state DIR`")
    parser.add_argument("--demo", action="store_true", help="ask the demo's data")
    parser.add_argument("--html", type=Path, metavar="FILE", help="also write it as one self-contained page")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")


def run(arguments: argparse.Namespace) -> Exit:
    if len(arguments.names) > 2:
        raise Stop("Give one golden id, or two record keys.", Exit.USAGE)
    if arguments.html and not arguments.html.absolute().parent.is_dir():
        raise Stop(f"{arguments.html}: its folder does not exist; make it first.", Exit.USAGE)
    with ExitStack() as stack:
        tables = of_state(arguments.state, stack) if arguments.state else of_data(_settings(arguments.demo), stack)
        entities = [arguments.entity] if arguments.entity else tables.entities
        answer = _of_pair if len(arguments.names) == 2 else _of_one
        report = answer(tables, entities, *arguments.names)
    if arguments.html:
        _write(arguments.html, page(report))
    if arguments.json:
        print(json.dumps(report, ensure_ascii=False))
    else:
        show(report, Console())
    return Exit.DONE


def _settings(demo: bool) -> Settings:
    if demo:
        from orchestration.demo import demo_settings  # brings Dagster along, which takes longer than the whole answer

        return demo_settings()
    try:
        return settings_module.load()
    except SettingsError as error:
        raise Stop(str(error), Exit.USAGE) from error


def _of_pair(tables: Tables, entities: list[str], one: str, two: str) -> Report:
    found = {name: _where(tables, entities, name) for name in (one, two)}
    both = [entity for entity in entities if entity in found[one] and entity in found[two]]
    if not both:
        raise Stop(f"{one} and {two} are of different kinds: a contact and an organisation are never one.", Exit.USAGE)
    if len(both) > 1:
        raise Stop(f"{one} and {two} are contacts as well as organisations; say which with --entity.", Exit.USAGE)
    left, right = (_the_one(found[name][both[0]], name) for name in (one, two))
    if left.key == right.key:
        raise Stop(f"{one} and {two} are one record; give two.", Exit.USAGE)
    return pair_report(pair_story(tables.evidence(both[0]), left, right))


def _of_one(tables: Tables, entities: list[str], name: str) -> Report:
    """The golden record of this id, of what this id became, or of the record with this key."""
    followed, seen = name, set()
    while followed not in seen:
        seen.add(followed)
        story = _living(tables, entities, followed)
        if story is not None:
            return golden_report(story, asked=name, life=tables.life(followed), halo=tables.published(followed))
        heirs = [event["other_id"] for event in tables.life(followed) if event["event"] == "merged_into"]
        followed = heirs[-1] if heirs else followed
    if life := tables.life(followed):
        return gone_report(followed, asked=name, life=life, halo=tables.published(followed))
    found = _where(tables, entities, name)
    if len(found) > 1:
        raise Stop(f"{name} is a contact as well as an organisation; say which with --entity.", Exit.USAGE)
    ((entity, records),) = found.items()
    owner = _the_one(records, name).golden_id
    story = cluster_story(tables.evidence(entity), owner)
    assert story is not None, "every standardised record has a golden record"
    return golden_report(story, asked=name, life=tables.life(owner), halo=tables.published(owner))


def _living(tables: Tables, entities: list[str], golden_id: str) -> ClusterStory | None:
    stories = (cluster_story(tables.evidence(entity), golden_id) for entity in entities)
    return next((story for story in stories if story is not None), None)


def _where(tables: Tables, entities: list[str], name: str) -> dict[str, list[Record]]:
    """Entity -> its records of this name.

    Raises:
        Stop: nobody knows it (exit 2).
    """
    found = {entity: tables.evidence(entity).find(name) for entity in entities}
    found = {entity: records for entity, records in found.items() if records}
    if not found:
        kinds = " or ".join(entities) or "record"
        raise Stop(
            f"{name}: no {kinds} of this id in {tables.place}. Expected a golden id or a record key, source:id.",
            Exit.USAGE,
        )
    return found


def _the_one(records: list[Record], name: str) -> Record:
    if len(records) > 1:
        keys = ", ".join(record.key for record in records[:5])
        raise Stop(f"{name} is said by {len(records)} sources; give the whole key: {keys}.", Exit.USAGE)
    return records[0]


def _write(path: Path, text: str) -> None:
    """Closed to others: it holds personal data."""
    draft = path.with_name(f".{path.name}.part")
    draft.touch(mode=0o600)
    draft.write_text(text, encoding="utf-8")
    os.replace(draft, path)
    print(f"written to {path}", file=sys.stderr)
