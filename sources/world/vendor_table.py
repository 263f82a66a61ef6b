"""One vendor's view, opened for writing cells and adding rows.

Belongs here: the mechanics. Does not: what is written (changes.py).
Surprise: it works on copies of the columns, so frames that were handed out keep their values.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from sources.world.dice import Ints, Objects, objects
from sources.world.frames import object_frame


class VendorTable:
    """One vendor's frame, opened for writing cells."""

    def __init__(self, frame: pd.DataFrame, names: tuple[str, ...], entity_rows: Ints) -> None:
        self.columns: dict[str, Objects] = {name: frame[name].to_numpy(dtype=object, copy=True) for name in names[:-1]}
        self.updated_at = frame["updated_at"].to_list()
        self.entity_rows = entity_rows
        self.added: list[dict[str, Any]] = []

    def write(self, row: int, at: datetime, **values: Any) -> None:
        for name, value in values.items():
            self.columns[name][row] = value
        self.updated_at[row] = at

    def frame(self, names: tuple[str, ...]) -> pd.DataFrame:
        columns: dict[str, Any] = {
            name: np.concatenate([self.columns[name], objects([each[name] for each in self.added])])
            for name in names[:-1]
        }
        moments = [*self.updated_at, *(each["updated_at"] for each in self.added)]
        columns["updated_at"] = pd.DatetimeIndex(pd.to_datetime(moments, utc=True)).as_unit("us")
        return object_frame(columns)
