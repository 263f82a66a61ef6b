"""A start without pandas: pyarrow imports it when it is first handed a list, and `resolve` and `why` never use it.

Belongs here: that one import, kept away. Does not: which verbs want it, and anything else about starting (`cli.py`).
Surprise: to import pandas costs as much as everything else that such a verb imports. pyarrow asks for it once and
remembers that there is none; whoever imports pandas afterwards gets it, and so does `Table.to_pandas`.
"""

from __future__ import annotations

import sys
from importlib.abc import MetaPathFinder


class _NoPandas(MetaPathFinder):
    def find_spec(self, name: str, *_: object) -> None:
        if name == "pandas":
            raise ModuleNotFoundError(f"{name} is kept away", name=name)


def keep_pandas_away() -> None:
    """Call before anything makes an Arrow array; without effect where pandas is already there."""
    if "pandas" in sys.modules:
        return
    finder = _NoPandas()
    sys.meta_path.insert(0, finder)
    try:
        import pyarrow

        pyarrow.array([])
    finally:
        sys.meta_path.remove(finder)
