"""Runs the demo in a fresh folder and renews what the README shows of it: `demo.svg` and the block between its marks.

Belongs here: the picture of the summary. Does not: the picture of the asset graph (CONTRIBUTING.md says how it is
made), the summary itself (`orchestration/summary.py`). Call it as `.venv/bin/python docs/pictures/demo.py`.
"""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console

from orchestration.summary import show  # noqa: TID251  (a tool for people beside the house, not a room of it)

HERE = Path(__file__).resolve().parent
README = HERE.parent.parent / "README.md"
BLOCK = re.compile(r"(<!-- demo -->\n```\n).*?(```\n<!-- /demo -->)", re.DOTALL)
FONTS = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)  # rich would load them from somebody's server
WIDTH = 104


def main() -> None:
    summary = run_demo(sys.argv[1:])
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True)
    show(summary, console)
    svg = console.export_svg(title="python3 -m orchestration demo", clear=False)
    (HERE / "demo.svg").write_text(FONTS.sub("", svg), encoding="utf-8")
    README.write_text(with_block(README.read_text(encoding="utf-8"), console.export_text()), encoding="utf-8")


def run_demo(arguments: list[str]) -> dict[str, object]:
    """The demo's `--json` object."""
    with tempfile.TemporaryDirectory() as data:
        command = [sys.executable, "-m", "orchestration.cli", "demo", "--json", *arguments]
        environment = os.environ | {"HALOSYNC_DATA": data}
        done = subprocess.run(command, env=environment, cwd=README.parent, stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


def with_block(text: str, printed: str) -> str:
    """The README with what the demo printed between the marks."""
    figures = re.split(r"^[-!] ", printed, maxsplit=1, flags=re.MULTILINE)[0]  # notes and what is held: in the picture
    lines = "".join(f"{line.rstrip()}\n" for line in figures.strip("\n").splitlines())
    assert BLOCK.search(text), "README.md keeps its marks <!-- demo --> and <!-- /demo -->"
    return BLOCK.sub(lambda found: found[1] + lines + found[2], text)


if __name__ == "__main__":
    main()
