"""R1 to R6: what came in, and how complete, valid, unique and agreed it is.

Belongs here: one method a section, its captions and heads. Does not: numbers (SQL), drawing (charts.py).
"""

from __future__ import annotations

from assets.quality import charts
from assets.quality.sections import Picture, Reading, Told

WORST = 10


class DataSections(Reading):
    """One method a section."""

    def _r1(self) -> Told:
        rows = self.rows("funnel", "entity", "place", "source", "kind", "reason")
        balance = self.rows("funnel_balance", "entity", "place", "source")
        off = sum(abs(row["unexplained"]) for row in balance)
        stands: dict[str, dict[str, int]] = {}
        for row in rows:
            if row["kind"] == "stands":
                steps = stands.setdefault(row["entity"], {})
                steps[row["step"]] = steps.get(row["step"], 0) + row["value"]
        moved = [row for row in rows if row["kind"] != "stands"]
        table = [(entity, step, n) for entity, steps in sorted(stands.items()) for step, n in steps.items()]
        return (
            f"Every row that came in, every loss by name, every step checked: {off:,} rows unexplained.",
            self.table("What stands after each step, all sources together", ("entity", "step", "rows"), table)
            + self.table(
                "What was lost or gained on the way, and why",
                ("entity", "source", "before step", "kind", "reason", "rows"),
                [
                    (r["entity"], r["source"], r["step"], r["kind"], r["reason"].replace("_", " "), r["value"])
                    for r in moved
                ],
            ),
            [Picture("The way into HaloPSA", *charts.funnel(stands))] if stands else [],
        )

    def _r2(self) -> Told:
        rows = self.rows("completeness", "entity", "field", "source", "segment_kind", "segment")
        tables = []
        for entity in ("contact", "organisation"):
            of_entity = [row for row in rows if row["entity"] == entity and row["segment_kind"] == "all"]
            sources = [*sorted({row["source"] for row in of_entity} - {"golden"}), "golden"]
            share = {(r["field"], r["source"]): r["useful"] / r["records"] for r in of_entity if r["records"]}
            fields = dict.fromkeys(row["field"] for row in of_entity)
            tables += self.table(
                f"{entity}: share of records with a useful value, by source and in golden",
                ("field", *sources),
                [(name.replace("_", " "), *(share.get((name, source)) for source in sources)) for name in fields],
            )
        parts = [
            row for row in rows if row["segment_kind"] != "all" and row["records"] >= 20 and row["source"] == "golden"
        ]
        parts.sort(key=lambda row: (row["useful"] / row["records"], row["entity"], row["field"], row["segment"]))
        tables += self.table(
            f"The {WORST} emptiest corners of golden: segments of 20 records or more",
            ("entity", "segment", "field", "records", "useful"),
            [
                (
                    r["entity"],
                    f"{r['segment_kind']} {r['segment']}",
                    r["field"],
                    r["records"],
                    r["useful"] / r["records"],
                )
                for r in parts[:WORST]
            ],
        )
        return "Useful means filled, nothing found against it, and touched by its source within 540 days.", tables, []

    def _r3(self) -> Told:
        found = [
            (
                r["entity"],
                r["source"],
                *r["field"].split("."),
                r["value"],
                r["value"] / r["total"] if r["total"] else None,
            )
            for r in self.numbers("invalid")
        ]
        generic = [(r["entity"], r["field"], r["value"]) for r in self.numbers("generic_values")]
        return (
            "Reason codes only. Unusable means that nothing was left after cleaning.",
            self.table("Findings against fields", ("entity", "source", "field", "reason", "records", "share"), found)
            + self.table("Values shared by too many to mean anybody", ("entity", "field", "values"), generic),
            [],
        )

    def _r4(self) -> Told:
        duplicates = [
            (r["entity"], r["source"], r["field"].replace("_", " "), r["value"], r["value"] / r["total"])
            for r in self.numbers("duplicate")
            if r["total"]
        ]
        estimates: dict[tuple[str, str], dict[str, int]] = {}
        for row in self.numbers("estimated_precision", "estimated_recall"):
            estimates.setdefault((row["entity"], row["metric"][10:]), {})[row["field"]] = row["value"]
        shown = [
            (
                entity,
                measure,
                "the model, without labels",
                *(one[name] / 1_000_000 for name in ("value", "low", "high")),
            )
            for (entity, measure), one in sorted(estimates.items())
        ]
        shown += [
            (r["entity"], r["measure"], f"{r['labels']:,} labelled pairs", r["value"], r["low"], r["high"])
            for r in self.rows("labelled_accuracy", "entity", "measure")
        ]
        return (
            "To replace the model's opinion by a person's: halosync report --sample pairs.csv, fill in the column "
            "same, then halosync report --labels pairs.csv.",
            self.table(
                "Precision and recall of matching, with 95 % intervals",
                ("entity", "measure", "judged by", "estimate", "low", "high"),
                shown,
            )
            + self.table(
                "Duplicates left, and records that one source holds twice",
                ("entity", "source", "kind", "records", "of golden"),
                duplicates,
            ),
            [],
        )

    def _r5(self) -> Told:
        accuracy = self.rows("source_accuracy", "entity", "field", "source")
        overlap = [
            (r["entity"], r["field"].replace(",", " + "), r["value"], r["value"] / r["total"])
            for r in self.numbers("overlap")
        ]
        credits = {row["source"]: row["value"] for row in self.numbers("credits")}
        verified = {row["source"]: row["value"] for row in self.numbers("verified")}
        won = {(row["entity"], row["source"]): row["value"] for row in self.numbers("won")}
        cost = [
            (
                s,
                credits.get(s),
                verified.get(s),
                credits[s] / verified[s] if credits.get(s) and verified.get(s) else None,
                won.get(("contact", s)),
            )
            for s in sorted(credits.keys() | verified.keys())
        ]
        return (
            "Accuracy is estimated from how often sources agree (Dawid and Skene's model); a field that fewer than "
            "three sources tell together has no estimate.",
            self.table(
                "Which sources hold the golden records",
                ("entity", "exactly these sources", "golden records", "share"),
                overlap,
            )
            + self.table(
                "Credits, and contacts with a verified e-mail",
                ("source", "credits", "verified contacts", "credits each", "contested values won"),
                [(*row[:3], None if row[3] is None else f"{row[3]:.2f}", row[4]) for row in cost],
            )
            + self.table(
                "Estimated share of right values, with 95 % intervals",
                ("entity", "field", "source", "golden records", "right", "low", "high"),
                [
                    (r["entity"], r["field"], r["source"], r["golden_count"], r["accuracy"], r["low"], r["high"])
                    for r in accuracy
                ],
            ),
            [Picture("How right each source is", *charts.accuracy(accuracy))] if accuracy else [],
        )

    def _r6(self) -> Told:
        outvoted = {(r["entity"], r["field"]): r["value"] for r in self.numbers("outvoted")}
        contested = [
            (r["entity"], r["field"], r["value"], r["value"] / r["total"], outvoted.get((r["entity"], r["field"]), 0))
            for r in self.numbers("contested")
            if r["value"]
        ]
        rules = [(r["entity"], r["field"], r["value"]) for r in self.numbers("decided_by")]
        flapping = sum(row["value"] for row in self.numbers("flapping"))
        return (
            f"{flapping:,} golden records went back to a state they had left. Outvoted: their losers agree.",
            self.table(
                "Golden values on which sources differ",
                ("entity", "field", "contested", "share", "outvoted"),
                contested,
            )
            + self.table("Which rule decided", ("entity", "rule", "values"), rules),
            [],
        )
