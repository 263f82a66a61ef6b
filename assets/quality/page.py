"""The document as one self-contained HTML page: no network, light and dark, for keyboards and screen readers.

Belongs here: filling page.html, how a cell is written. Does not: what is told (document.py
and its sections), drawing (charts.py).
Surprise: everything but pictures is escaped by the template, so a reason code or a field name that a vendor invents can
break nothing.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from assets.quality.document import Document
from transforms.engines.duckdb import SQL_ROOT

LONG_ROWS = 20  # a longer table is folded
_DECIMAL = re.compile(r"-?\d+\.\d+")
_ID_STARTS = ("con_", "org_", "halosync ")


def page(document: Document) -> str:
    """The whole page. Same document, same bytes."""
    bad: dict[str, tuple[str, int]] = dict.fromkeys((section.number for section in document.sections), ("", 0))
    for row in document.judged:
        if row["severity"] != "ok":
            worst, count = bad[row["section"]]
            bad[row["section"]] = ("error" if "error" in (worst, row["severity"]) else "warning", count + 1)
    paths = {path for section in document.sections for path in section.made_by}
    return _template().render(
        document=document,
        bad={number: told if told[1] else None for number, told in bad.items()},
        sql={path: (SQL_ROOT / "quality" / Path(path).name).read_text("utf-8") for path in paths},
        long=LONG_ROWS,
        cell=cell,
        is_numeric=lambda table, column: any(_is_numeric(row[column]) for row in table.rows),
    )


def cell(value: Any) -> Markup:
    """One cell: whole numbers with separators, shares with a bar, ids and commands in a monospaced face."""
    if value is None or value == "":
        return Markup("<td></td>")
    if isinstance(value, float):
        width = f"{min(max(value, 0.0), 1.0) * 100:.0f}"
        bar = Markup('<span class="bar" aria-hidden="true"><i style="width:{}%"></i></span>').format(width)
        return Markup('<td class="num">{}{}</td>').format(f"{value:.1%}", bar)
    if isinstance(value, int):
        return Markup('<td class="num">{}</td>').format(f"{value:,}")
    if _is_numeric(value):
        return Markup('<td class="num">{}</td>').format(value)
    is_id = str(value).startswith(_ID_STARTS)
    return Markup('<td class="id">{}</td>' if is_id else "<td>{}</td>").format(value)


def _is_numeric(value: Any) -> bool:
    return isinstance(value, int | float) or bool(_DECIMAL.fullmatch(str(value)))


@cache
def _template() -> Any:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(Path(__file__).with_name("page.html").read_text("utf-8"))
