"""The answer of `why` on a terminal: sentences, then the waterfall, then the tables.

Belongs here: rich. Does not: the numbers (why_report.py), the page (why_page.py).
Surprise: a bar starts where the one above ended, so the last one ends at the score; fields that say nothing are named
in one line below.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from orchestration.why_report import Report, halo_sentences, halo_tables

BAR_CELLS, BAR_CELLS_NARROW, WIDE = 32, 14, 110  # a bar on a wide and on a narrow terminal; columns
FOR, AGAINST = "blue", "yellow"


def show(report: Report, console: Console) -> None:
    {"pair": _pair, "golden": _golden, "gone": _gone}[report["kind"]](report, console)


def steps_of(report: Report) -> list[Report]:
    """The contributions that weigh something, each with the score before and after it."""
    score, steps = 0.0, []
    for part in report["contributions"]:
        if part["bits"]:
            steps.append({**part, "before": score, "after": score + part["bits"]})
            score += part["bits"]
    return steps


def _pair(report: Report, console: Console) -> None:
    left, right = report["records"]
    console.print(
        f"[bold]{escape(_record(left))}[/bold]   and   [bold]{escape(_record(right))}[/bold]", highlight=False
    )
    _sentences(report["why"], console)
    _waterfall(report, console)
    if report["shared_keys"]:
        rows = [
            (key["rule"].replace("_", " "), key["key"], f"{key['points']}", key["why"]) for key in report["shared_keys"]
        ]
        _table("keys they share", ("rule", "key", "points", ""), rows, console)


def _waterfall(report: Report, console: Console) -> None:
    steps = steps_of(report)
    marks = [0.0, report["score"], *(step["after"] for step in steps)]
    low, high = min(marks), max(marks)
    table = Table("evidence", "what they say", "bits", "", box=None, padding=(0, 1, 0, 0), title_justify="left")
    table.columns[2].justify = "right"
    table.columns[3].no_wrap = True
    bar = partial(_bar, low=low, high=high, cells=BAR_CELLS if console.width >= WIDE else BAR_CELLS_NARROW)
    for step in steps:
        mark = "◀ " if step["decides"] else ""
        table.add_row(
            escape(mark + step["words"]),
            escape(_told(step)),
            f"{step['bits']:+.1f}",
            bar(step["before"], step["after"]),
        )
    verdict = "score: the same" if report["score"] > 0 else "score: not the same"
    table.add_row(f"[bold]{verdict}[/bold]", "", f"[bold]{report['score']:+.1f}[/bold]", bar(0.0, report["score"]))
    console.print(table)
    silent = [part for part in report["contributions"] if not part["bits"] and part["level"]]
    noted = [part["note"] or part["words"] for part in silent]
    if noted:
        console.print(f"[dim]No evidence: {escape('; '.join(noted))}.[/dim]", highlight=False)
    if any(step["decides"] for step in steps):
        console.print("[dim]◀ decides: without it the answer is the other one.[/dim]")


def _golden(report: Report, console: Console) -> None:
    console.print(
        f"[bold]{escape(report['name'])}[/bold]   {report['golden_id']} ({report['entity']})", highlight=False
    )
    _sentences(report["why"], console)
    members = [
        (_record(one), one["since"], "" if one["support"] is None else f"{one['support']:+.1f}")
        for one in report["members"]
    ]
    _table("members", ("record", "since", "bits to the others"), members, console)
    edges = [(edge["left"], edge["right"], _score(edge["score"]), edge["because"]) for edge in report["edges"]]
    _table("pairs inside", ("record", "record", "bits", "holds it together by"), edges, console)
    near = [(miss["inside"], miss["outside"], _score(miss["score"]), miss["why"]) for miss in report["near_misses"]]
    _table("nearest outside", ("inside", "outside", "bits", "why not"), near, console)
    cells = [
        (cell["field"], cell["value"] or "", cell["record_key"] or "", cell["rule"] or "", str(len(cell["losers"])))
        for cell in report["cells"]
    ]
    _table("values", ("field", "value", "from", "rule", "losers"), cells, console)
    _halo(report, console)
    _lineage(report, console)
    if report["nearest"]:
        console.print("\n[bold]The nearest record outside[/bold]")
        _pair(report["nearest"], console)


def _gone(report: Report, console: Console) -> None:
    _sentences(report["why"], console)
    _halo(report, console)
    _lineage(report, console)


def _halo(report: Report, console: Console) -> None:
    story = report["halo"]
    if story is None:
        return
    console.print()
    _sentences(halo_sentences(story), console)
    for title, headings, rows in halo_tables(story):
        _table(title, headings, rows, console)


def _lineage(report: Report, console: Console) -> None:
    events = [(event["at"], event["event"].replace("_", " "), event["other_id"]) for event in report["lineage"]]
    _table("life of the id", ("at", "event", "other id"), events, console)


def _sentences(sentences: Iterable[str], console: Console) -> None:
    for sentence in sentences:
        console.print(escape(sentence), highlight=False)
    console.print()


def _table(title: str, headings: tuple[str, ...], rows: Sequence[Sequence[str]], console: Console) -> None:
    if not rows:
        return
    table = Table(*headings, box=None, padding=(0, 1, 0, 0), title=title, title_justify="left", title_style="bold")
    for row in rows:
        table.add_row(*(escape(cell) for cell in row))
    console.print(table)


def _bar(start: float, end: float, *, low: float, high: float, cells: int) -> Text:
    """A bar from `start` to `end` on the scale low … high; at least one cell."""
    scale = (cells - 1) / ((high - low) or 1.0)
    first, last = sorted((round((start - low) * scale), round((end - low) * scale)))
    zero = round((0 - low) * scale)
    drawn = ("█" if first <= cell <= last else "│" if cell == zero else " " for cell in range(cells))
    return Text("".join(drawn), style=FOR if end > start else AGAINST)


def _told(step: Report) -> str:
    if not step["left"] and not step["right"]:
        return ""
    told = step["left"] if step["left"] == step["right"] else f"{step['left'] or '-'} | {step['right'] or '-'}"
    return f"{told} ({step['note']})" if step["note"] else told


def _record(record: Report) -> str:
    return f"{record['name']} ({record['record_key']})"


def _score(score: float) -> str:
    return "decided" if abs(score) >= 1e6 else f"{score:+.1f}"
