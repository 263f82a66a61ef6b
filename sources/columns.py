"""A frame of the simulated world as plain columns, for simulators that answer page by page.

Belongs here: what the simulators of several vendors need to read the world's views. Does not: filters, shapes.
Surprise: rows are made only when asked for; turning sixty thousand rows into objects at once would cost seconds.
"""

from __future__ import annotations

from typing import Any

import pandas as pd


class Columns:
    """Columns by name, missing values as None; `place` finds a row by its `id`."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self.values = {
            str(name): frame[name].astype(object).where(frame[name].notna(), None).tolist() for name in frame.columns
        }
        self.rows = len(frame)
        self.place = {row_id: index for index, row_id in enumerate(self.values["id"])}

    def row(self, index: int) -> dict[str, Any]:
        return {name: values[index] for name, values in self.values.items()}

    def by_id(self, row_id: str | None) -> dict[str, Any] | None:
        index = self.place.get(row_id) if row_id else None
        return None if index is None else self.row(index)

    def first(self, column: str, value: Any) -> str | None:
        """The id of the first row with that value; a blank one is nobody's."""
        pairs = zip(self.values["id"], self.values[column], strict=True)
        return next((row_id for row_id, held in pairs if value and held == value), None)
