"""Settings of alerts: who is told, and from when on something counts as wrong.

Belongs here: names and quiet defaults. Does not: what they mean for a rule (rules.py).
Surprise: with no address at all alerts are still kept, in `alerts.jsonl` of the data folder.
"""

from __future__ import annotations

from pydantic import BaseModel, Field, SecretStr


class AlertSettings(BaseModel):
    urls: list[SecretStr] = Field(
        default=[], description="JSON list of Apprise addresses: mailto://, slack://, json:// and many others"
    )
    run_hours: float = Field(default=6, gt=0, description="no good run for so long")
    source_hours: float = Field(default=24, gt=0, description="a source not read without trouble for so long")
    frozen_days: float = Field(default=7, gt=0, description="a source that is read, and brought nothing for so long")
    backlog_hours: float = Field(default=6, gt=0, description="changes that HaloPSA has not been told for so long")
    unknown_minutes: float = Field(default=60, gt=0, description="a write without an outcome for so long")
