"""What all tests share: hypothesis without a clock, no proxies, no telemetry, state only in temporary folders."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
    os.environ.pop(name, None)

# The machines are noisy: a deadline would make a slow minute a failed test. Derandomised, so that a red run is a defect.
settings.register_profile(
    "house", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow], max_examples=50
)
settings.load_profile("house")
