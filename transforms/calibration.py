"""stub"""

from __future__ import annotations

import numpy as np
from pydantic import BaseModel, ConfigDict


class Calibration(BaseModel):
    model_config = ConfigDict(frozen=True)
    method: str = "none"

    def correction_milli(self, milli):
        return np.zeros(len(milli), dtype=np.int64)


def probability(bits):
    return 1 / (1 + np.exp2(-np.clip(bits, -60, 60)))


def fit(features, found, seen):
    return Calibration()
