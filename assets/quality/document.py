"""The report as one document: verdict, sections, every number. Page and JSON are made of it.

Belongs here: putting it together from one night's tables. Does not: what a section shows (data_sections.py,
health_sections.py), HTML (page.py).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from assets.quality.catalogue import SECTIONS, metrics
from assets.quality.data_sections import DataSections
from assets.quality.health_sections import HealthSections
from assets.quality.sections import Picture, Row, Section, Table
from assets.quality.verdict import Verdict, verdict
from transforms.engines.port import Engine

SCHEMA_VERSION = 1


@dataclass(frozen=True)
class Document:
    """Everything that page and JSON show."""

    night: str
    as_of: str
    verdict: Verdict
    sections: list[Section]
    judged: list[Row]

    def as_json(self) -> dict[str, Any]:
        """Plain values; pictures only by caption and text, for the numbers are in the tables."""
        sections = [
            {
                "section": section.number,
                "title": section.title,
                "tables": [asdict(table) for table in section.tables],
                "pictures": [{"caption": one.caption, "alt": one.alt} for one in section.pictures],
            }
            for section in self.sections
        ]
        numbers = [
            {name: row[name] for name in ("section", "number_id", "value", "total", "unit", "severity", "reason")}
            | {"sql_file": metrics()[row["metric"]].sql_file}
            for row in self.judged
        ]
        return {
            "schema_version": SCHEMA_VERSION,
            "night": self.night,
            "as_of": self.as_of,
            "verdict": asdict(self.verdict),
            "sections": sections,
            "numbers": numbers,
        }


def document(engine: Engine) -> Document:
    """The report of the night whose tables stand in `engine`."""
    moment = engine.fetch("quality.night").to_pylist()[0]
    judged = sorted(
        engine.fetch("quality.judged").to_pylist(), key=lambda row: (_place(row["section"]), row["number_id"])
    )
    teller = Teller(engine, judged)
    sections = [Section(number, title, *teller.told(number)) for number, title in SECTIONS.items() if number != "R0"]
    as_of = moment["as_of"].isoformat(sep=" ", timespec="minutes")
    return Document(str(moment["night"]), f"{as_of} UTC", verdict(engine, judged), sections, judged)


def _place(section: str) -> int:
    return int(section[1:])


class Teller(DataSections, HealthSections):
    """All sections."""

    def told(self, number: str) -> tuple[str, list[Table], list[Picture], tuple[str, ...]]:
        intro, tables, pictures = getattr(self, f"_{number.lower()}")()
        made_by = dict.fromkeys(one.sql_file for one in metrics().values() if one.section == number)
        return intro, tables, pictures, tuple(made_by)
