"""R7 to R16: what is in doubt, how the machinery does, what is to be done, and whether the report can be believed.

Belongs here: one method a section, its captions and heads. Does not: numbers (SQL), drawing (charts.py).
"""

from __future__ import annotations

from typing import Any

from assets.quality import charts
from assets.quality.sections import Picture, Reading, Told
from assets.quality.verdict import sentence
from transforms.contracts import ENTITIES

SUSPECTS = 10  # shown of each entity; all are in the tables
TREND_NIGHTS = 90


class HealthSections(Reading):
    """One method a section."""

    def _r7(self) -> Told:
        rows = [row for row in self.rows("overmerge_suspect", "entity", "place") if row["place"] <= SUSPECTS]
        tables = []
        for entity in ENTITIES:
            tables += self.table(
                f"{entity}: the {SUSPECTS} most doubtful",
                ("place", "golden id", "points", "records", "why", "look at it"),
                [
                    (row["place"], row["golden_id"], row["points"], row["records"], row["why"], row["command"])
                    for row in rows
                    if row["entity"] == entity
                ],
            )
        return "A wrong one is undone by a decision that two of its records are not the same.", tables, []

    def _r8(self) -> Told:
        rows = self.rows("undermerge_suspect", "golden_id_l", "golden_id_r")
        rows.sort(key=lambda row: -row["weight_milli"])
        tables = []
        for entity in ENTITIES:
            tables += self.table(
                f"{entity}: the {SUSPECTS} likeliest",
                ("golden ids", "kind", "bits over the cut", "look at it"),
                [
                    (
                        f"{row['golden_id_l']} {row['golden_id_r']}",
                        row["kind"].replace("_", " "),
                        f"{row['weight_milli'] / 1000:.1f}",
                        row["command"],
                    )
                    for row in [one for one in rows if one["entity"] == entity][:SUSPECTS]
                ],
            )
        return "Each pair that proves to be one entity saves a golden record.", tables, []

    def _r9(self) -> Told:
        bins = self.rows("weight_histogram", "entity", "bits_low")
        numbers = self.numbers("pairs", "pairs_inside", "pairs_at_the_cut", "skipped_pairs", "lineage")
        lost = [(r["entity"], r["value"] / 1_000_000) for r in self.numbers("recall_lost_to_blocking")]
        return (
            "The cut is at 0 bits. Pairs within one bit of it are decided by little.",
            self.table(
                "Pairs, and golden ids in the last run",
                ("entity", "what", "kind", "number"),
                [(r["entity"], r["metric"].replace("_", " "), r["field"], r["value"]) for r in numbers],
            )
            + self.table("Recall lost to blocking, estimated", ("entity", "share of true pairs"), lost),
            [Picture("Compared pairs by weight", *charts.histogram(bins))] if bins else [],
        )

    def _r10(self) -> Told:
        frozen = {row["source"]: row["value"] for row in self.numbers("frozen_nights")}
        rows = [
            (r["source"], r["records"], r["age_hours"], r["quiet_hours"], frozen.get(r["source"]))
            for r in self.rows("freshness", "source")
        ]
        ages = self.rows("age_curve", "entity", "source", "age")
        return (
            "Read without trouble and something new are two things: a vendor may be well and quiet.",
            self.table(
                "Sources",
                ("source", "records", "hours since read", "hours since anything new", "nights unchanged"),
                rows,
            )
            + self.table(
                "Records by age",
                ("entity", "source", "age", "records"),
                [(r["entity"], r["source"], r["age"], r["records"]) for r in ages],
            ),
            [Picture("How old the sources' knowledge is", *charts.ages(ages))] if ages else [],
        )

    def _r11(self) -> Told:
        rows = self.rows("publish_health", "kind", "entity", "class")
        return (
            "What waits, what was refused, what a person has to settle. Why records are held stands in R1.",
            self.table(
                "Between us and HaloPSA",
                ("kind", "entity", "class", "records", "first", "last", "oldest, hours"),
                [
                    (
                        r["kind"].replace("_", " "),
                        r["entity"],
                        r["class"],
                        r["records"],
                        _day(r["first_at"]),
                        _day(r["last_at"]),
                        r["oldest_hours"],
                    )
                    for r in rows
                ],
            ),
            [],
        )

    def _r12(self) -> Told:
        held = [(r["source"], r["entity"], r["field"], r["value"]) for r in self.numbers("quarantined")]
        drift = [
            (r["source"], r["entity"], r["field"], r["drift"].replace("_", " "), r["types_before"], r["types"])
            for r in self.rows("field_drift", "source", "entity", "field")
        ]
        fields = self.rows("payload_field", "source", "entity", "field")
        return (
            f"{len(fields):,} fields are watched; {len(drift):,} drifted since the last night, "
            f"{len(held):,} kinds of rows are in quarantine.",
            self.table("Fields that drifted", ("source", "entity", "field", "what", "types before", "types now"), drift)
            + self.table("Rows that were not let in", ("source", "entity", "field and reason", "rows"), held),
            [],
        )

    def _r13(self) -> Told:
        outside = [row for row in self.judged if row["severity"] != "ok"]
        nights = sorted({row["night"] for row in self.engine.fetch("quality.history", ("night",)).to_pylist()})[
            -TREND_NIGHTS:
        ]
        pictures = (
            [Picture("Headline numbers, night by night", *charts.trends(self._headlines()))] if len(nights) > 1 else []
        )
        return (
            f"{len(nights):,} nights are on record. A number outside of its limits is a warning; limits begin after "
            "seven nights.",
            self.table(
                "Numbers outside of their limits",
                ("severity", "number", "in words"),
                [(row["severity"], row["number_id"], sentence(row)) for row in outside],
            ),
            pictures,
        )

    def _headlines(self) -> dict[str, list[tuple[Any, int]]]:
        """Name -> night and number, nights ascending."""
        wanted = {"golden/contact": "golden contacts", "golden/organisation": "golden organisations",
                  "outbox_held/contact": "held contacts", "outbox_published/contact": "published contacts"}  # fmt: skip
        found: dict[str, list[tuple[Any, int]]] = {}
        history = self.engine.fetch("quality.history", ("night", "number_id", "value")).to_pylist()
        for row in sorted(history, key=lambda row: (row["number_id"], row["night"])):
            if row["number_id"] in wanted:
                found.setdefault(wanted[row["number_id"]], []).append((row["night"], row["value"]))
        return {name: points[-TREND_NIGHTS:] for name, points in found.items()}

    def _r14(self) -> Told:
        rows = self.rows("privacy", "region")
        suppressed = sum(row["value"] for row in self.numbers("outbox_suppressed"))
        return (
            f"{suppressed:,} golden records are suppressed. Erasures: this release keeps none.",
            self.table(
                "Golden contacts by region of law",
                ("region", "contacts", "notice due", "with a number", "do not call", "do-not-call unknown"),
                [
                    (
                        r["region"],
                        r["contacts"],
                        r["notice_due"],
                        r["with_number"],
                        r["do_not_call"],
                        r["do_not_call_unknown"],
                    )
                    for r in rows
                ],
            ),
            [],
        )

    def _r15(self) -> Told:
        rows = self.rows("work_list", "place")
        return (
            "Most gain first. Under way means that the number fell since the last night.",
            self.table(
                "The twenty fixes that gain most",
                ("place", "records gained", "before", "state", "who", "begin with"),
                [(r["place"], r["records_gained"], r["before"], r["state"], r["owner"], r["command"]) for r in rows],
            ),
            [],
        )

    def _r16(self) -> Told:
        rows = self.rows("self_check", "number_id")
        differing = [(r["number_id"], r["value"], r["second_value"]) for r in rows if r["differs"]]
        return (
            f"{len(rows):,} numbers were made a second time, by pandas; {len(differing):,} differ.",
            self.table("Numbers that differ", ("number", "SQL", "pandas"), differing),
            [],
        )


def _day(moment: Any) -> str | None:
    return None if moment is None else str(moment)[:10]
