"""Frames: tables whose cells are plain Python values.

Belongs here: making them. Does not: what is in them.
Surprise: every column is of type object, because pandas would turn None into NaN in a text column, and a simulator
that serves its rows as JSON needs None.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from sources.world.dice import objects


def object_frame(columns: Mapping[str, Sequence[Any] | Any]) -> pd.DataFrame:
    """A frame of object columns in the order given; a DatetimeIndex stays a column of moments."""
    series = {
        name: pd.Series(values) if isinstance(values, pd.DatetimeIndex) else pd.Series(objects(values), dtype=object)
        for name, values in columns.items()
    }
    return pd.DataFrame(series)
