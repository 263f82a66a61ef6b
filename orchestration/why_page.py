"""The answer of `why` as one self-contained HTML page: sentences, the waterfall as inline SVG, the same as a table.

Belongs here: HTML and SVG. Does not: the numbers (why_report.py), the terminal (why_screen.py).
Surprise: nothing is fetched and no script runs, so the page can be mailed; everything a record says is escaped, for a
name may hold markup. The picture is hidden from screen readers, which get the table of the same numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from orchestration.why_report import Report, halo_sentences, halo_tables
from orchestration.why_screen import steps_of

WIDTH, LABELS, FIGURES, ROW, BAR = 860, 380, 70, 26, 16
STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #57606a; --ground: #fff; --line: #d0d7de;
        --for: #0b66c2; --against: #b3540b; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --soft: #9aa4af; --ground: #0d1117; --line: #30363d;
        --for: #58a6ff; --against: #f0883e; } }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--ground); max-width: 60rem;
       margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.4rem; overflow-wrap: anywhere; } h2 { font-size: 1.1rem; margin-top: 2rem; }
.wide { overflow-x: auto; } svg { width: 100%; min-width: 40rem; height: auto; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
caption { text-align: left; font-weight: 600; padding: .3rem 0; }
th, td { text-align: left; vertical-align: top; padding: .25rem .6rem .25rem 0; border-bottom: 1px solid var(--line); }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.soft { color: var(--soft); } td { overflow-wrap: anywhere; min-width: 4.5rem; }
svg text { fill: var(--ink); font: 13px system-ui, sans-serif; } svg .soft { fill: var(--soft); }
svg .for { fill: var(--for); } svg .against { fill: var(--against); } svg line { stroke: var(--line); }
""".strip()


def page(report: Report) -> str:
    """The whole document."""
    title, body = {"pair": _pair_page, "golden": _golden_page, "gone": _gone_page}[report["kind"]](report)
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<style>\n{STYLE}\n</style></head>\n<body><main>\n<h1>{escape(title)}</h1>\n{body}\n</main></body></html>\n"
    )


def waterfall(report: Report) -> str:
    """One bar a contribution, each from where the last one ended; the line is the cut."""
    steps = steps_of(report)
    marks = [0.0, report["score"], *(step["after"] for step in steps)]
    low, high = min(marks), max(marks)
    scale = (WIDTH - LABELS - FIGURES) / ((high - low) or 1.0)
    total = {"words": "score", "before": 0.0, "after": report["score"], "bits": report["score"], "decides": False}
    drawn = [*steps, total]
    bars = "\n".join(_bar(row, step, low, scale) for row, step in enumerate(drawn))
    zero, height = LABELS - low * scale, ROW * len(drawn) + 20
    return (
        f'<svg viewBox="0 0 {WIDTH} {height}" aria-hidden="true">\n'
        f'<line x1="{zero:.1f}" x2="{zero:.1f}" y1="0" y2="{height - 18}"/>\n{bars}\n'
        f'<text class="soft" x="{zero:.1f}" y="{height - 4}" text-anchor="middle">0: the cut</text>\n</svg>'
    )


def _bar(row: int, step: Report, low: float, scale: float) -> str:
    start, end = sorted((step["before"], step["after"]))
    left, width = LABELS + (start - low) * scale, max((end - start) * scale, 1.5)
    middle = ROW * row + ROW / 2
    mark = "◀ " if step["decides"] else ""
    return (
        f'<text x="0" y="{middle + 5:.1f}">{escape(mark + _shortened(step["words"]))}</text>'
        f'<rect class="{"for" if step["bits"] > 0 else "against"}" x="{left:.1f}" y="{middle - BAR / 2:.1f}" '
        f'width="{width:.1f}" height="{BAR}" rx="2"/>'
        f'<text x="{WIDTH}" y="{middle + 5:.1f}" text-anchor="end">{step["bits"]:+.1f}</text>'
    )


def _pair_page(report: Report) -> tuple[str, str]:
    left, right = report["records"]
    title = f"Why {left['record_key']} and {right['record_key']} are {'the same' if report['same'] else 'not the same'}"
    return title, _pair(report)


def _pair(report: Report) -> str:
    left, right = (f"{record['name']} ({record['record_key']})" for record in report["records"])
    steps = {step["name"]: step for step in steps_of(report)}
    rows = []
    for part in report["contributions"]:
        words = (
            part["words"] + ("; decides" if part["decides"] else "") + (f" ({part['note']})" if part["note"] else "")
        )
        after = f"{steps[part['name']]['after']:+.3f}" if part["name"] in steps else ""
        rows.append((words, part["left"], part["right"], _figure(part["bits"]), after))
    rows.append(("score", "", "", f"{report['score']:+.3f}", f"{report['score']:+.3f}"))
    keys = [
        (key["rule"].replace("_", " "), key["key"], key["why"], f"{key['points']}") for key in report["shared_keys"]
    ]
    return "\n".join(
        (
            _sentences(report["why"]),
            f'<h2>The evidence</h2>\n<div class="wide">{waterfall(report)}</div>',
            '<p class="soft">◀ decides: without it the answer is the other one. One bit doubles the odds.</p>',
            _table(f"{left} and {right}, in bits", ("evidence", left, right, "bits", "score so far"), rows, numbers=2),
            _table("Keys they share", ("rule", "key", "", "points"), keys, numbers=1),
        )
    )


def _golden_page(report: Report) -> tuple[str, str]:
    members = [
        (one["record_key"], one["name"], one["since"], "" if one["support"] is None else f"{one['support']:+.1f}")
        for one in report["members"]
    ]
    edges = [(edge["left"], edge["right"], edge["because"], _score(edge["score"])) for edge in report["edges"]]
    near = [
        (miss["inside"], f"{miss['outside']} ({miss['name']})", miss["why"], _score(miss["score"]))
        for miss in report["near_misses"]
    ]
    cells = [
        (cell["field"], cell["value"] or "", cell["record_key"] or "", cell["rule"] or "", _losers(cell["losers"]))
        for cell in report["cells"]
    ]
    nearest = f"<h2>The nearest record outside</h2>\n{_pair(report['nearest'])}" if report["nearest"] else ""
    body = "\n".join(
        (
            f'<p class="soft">{escape(report["golden_id"])}, {escape(report["entity"])}</p>',
            _sentences(report["why"]),
            _table("Members", ("record", "name", "since", "bits to the others"), members, numbers=1),
            _table("Pairs inside", ("record", "record", "holds it together by", "bits"), edges, numbers=1),
            _table("Nearest outside", ("inside", "outside", "why not", "bits"), near, numbers=1),
            _table("Values", ("field", "value", "from", "rule", "lost to it"), cells),
            _halo(report),
            _life(report),
            nearest,
        )
    )
    return report["name"] or report["golden_id"], body


def _gone_page(report: Report) -> tuple[str, str]:
    return report["golden_id"], f"{_sentences(report['why'])}\n{_halo(report)}\n{_life(report)}"


def _halo(report: Report) -> str:
    story = report["halo"]
    if story is None:
        return ""
    tables = [_table(title.capitalize(), headings, rows) for title, headings, rows in halo_tables(story)]
    return "\n".join((_sentences(halo_sentences(story)), *tables))


def _life(report: Report) -> str:
    events = [(event["at"], event["event"].replace("_", " "), event["other_id"]) for event in report["lineage"]]
    return _table("Life of the id", ("at", "event", "other id"), events)


def _sentences(sentences: Iterable[str]) -> str:
    return "\n".join(f"<p>{escape(sentence)}</p>" for sentence in sentences)


def _table(caption: str, headings: Sequence[str], rows: Sequence[Sequence[str]], *, numbers: int = 0) -> str:
    """The last `numbers` columns are figures; no rows, no table."""
    if not rows:
        return ""
    first = len(headings) - numbers
    classes = ['class="number"' if place >= first else "" for place in range(len(headings))]
    head = "".join(f'<th scope="col" {kind}>{escape(text)}</th>' for text, kind in zip(headings, classes, strict=True))
    body = "\n".join(
        "<tr>" + "".join(f"<td {kind}>{escape(text)}</td>" for text, kind in zip(row, classes, strict=True)) + "</tr>"
        for row in rows
    )
    return (
        f'<div class="wide"><table><caption>{escape(caption)}</caption>\n<thead><tr>{head}</tr></thead>\n'
        f"<tbody>\n{body}\n</tbody></table></div>"
    )


def _losers(losers: list[list[str]]) -> str:
    return "; ".join(f"{value} ({key})" for key, value in losers)


def _shortened(text: str) -> str:
    return text if len(text) <= 52 else f"{text[:51]}…"


def _figure(bits: float) -> str:
    return f"{bits:+.3f}" if bits else "0"


def _score(score: float) -> str:
    return "decided" if abs(score) >= 1e6 else f"{score:+.1f}"
