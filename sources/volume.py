"""A load of an unlikely size is held: nothing is bought by it, nothing moves because of it.

Belongs here: the limits, what was usual, how a new size becomes usual. Does not: counting (each source's walk), rows
that are missing from a walk whose total is known (each source names that gap itself).
Surprise: nobody has to release a hold. A size that stays for two days is the new usual one: a vendor's bad hour is
over by then, and a customer who widened a filter waits no longer than that.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from datetime import datetime, timedelta
from typing import Any

from sources.clock import Clock
from sources.http import VendorError

SHRUNK_TO = 0.5  # less than half of what was there
GROWN_TO = 3.0  # more than three times
USUAL_MIN = 100  # below it, halves and triples are ordinary
USUAL_AFTER = timedelta(days=2)


class Held(VendorError):
    """The size of a load is far from what was usual; it is not applied."""


def hold_unlikely(
    state: MutableMapping[str, Any], found: int, *, of: str, source: str, clock: Clock, is_whole: bool = True
) -> None:
    """Note the size of a load, or refuse it. `state` is kept between runs; `of` names what was counted.

    A load that is not whole says nothing of what is usual, and its gap is named already.

    Raises:
        Held: outside the limits, and not yet so for `USUAL_AFTER`.
    """
    if not is_whole:
        return
    usual = state.setdefault("volumes", {}).get(of)
    if usual is None or usual["rows"] < USUAL_MIN or SHRUNK_TO * usual["rows"] <= found <= GROWN_TO * usual["rows"]:
        state["volumes"][of] = {"rows": found}
        return
    now = clock.now()
    since = datetime.fromisoformat(usual.setdefault("unlikely_since", now.isoformat()))
    if now - since >= USUAL_AFTER:
        state["volumes"][of] = {"rows": found}
        return
    raise Held(
        f"{source}: held, because {of} are {found:,} and were {usual['rows']:,} last time (limits "
        f"{SHRUNK_TO * usual['rows']:,.0f} and {GROWN_TO * usual['rows']:,.0f}). Nothing of it is bought; if it is "
        f"still so {USUAL_AFTER.days} days after {since:%Y-%m-%d %H:%M}, it is taken for right"
    )
