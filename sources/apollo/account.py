"""The simulated Apollo account: its keys, its credits, what its team has saved, and how it is switched.

Belongs here: state of one account. Does not: routes (`simulator.py`), rate windows (`limits.py`).
Surprise: credits are kept in the store and belong to the team, not to a key, so a second key and a second process spend
from the same balance.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from werkzeug.wrappers import Response

from sources.apollo.limits import QUOTAS
from sources.apollo.shapes import digest
from sources.simulation import SimulatorStore, json_response


@dataclass
class Key:
    """An API key: `scopes` are routes without prefix, None is a master key."""

    plan: str = "professional"
    scopes: frozenset[str] | None = None
    is_revoked: bool = False


def standard_keys() -> dict[str, Key]:
    """Made-up keys of a simulated account."""
    return {
        "apollo-good": Key(),
        "apollo-search-only": Key(scopes=frozenset({"mixed_people/api_search"})),
        "apollo-free-plan": Key(plan="free"),
        "apollo-revoked": Key(is_revoked=True),
    }


@dataclass
class Switches:
    """How this Apollo behaves where the real one varies, or where a test wants trouble."""

    credit_limit: float = 10_000_000
    search_rows_max: int = 50_000
    saved_rows_max: int = 50_000  # of contacts/search and accounts/search
    saved_share: float = 0.2
    oddity_share: float = 0.005
    has_pagination: bool = False  # some accounts still see `pagination` beside `total_entries`
    has_error_details: bool = False  # the newer body of a 429
    leaks_placeholder: bool = False  # the placeholder address out of a match as well
    has_drift: bool = False  # a person seen again on the next page
    handmade_ids: Collection[str] = ()  # saved contacts typed in by hand: no person behind them
    obsolete_ids: Collection[str] = ()  # in the search, but a match finds nobody
    poison: Mapping[str, str] = field(default_factory=dict)  # id -> kind of `poisoned`
    callback_delay_s: float = 240.0  # phones come minutes later
    callback_times: int = 2  # Apollo may retry; 0: never
    shuffle_seed: int = 1


class Account:
    """One team's account, over the simulator's durable store."""

    def __init__(self, store: SimulatorStore, switches: Switches) -> None:
        self._store = store
        self.switches = switches
        self.charges: Counter[str] = Counter()  # how often each person was charged for, in this process

    @property
    def consumed(self) -> float:
        """Credits spent by the whole team since the store was made."""
        return float(self._store.get("credits", "consumed", 0))

    def is_saved(self, vendor_id: str) -> bool:
        """Whether somebody of the team has saved this person or company; a share of the ids, always the same."""
        return int(digest(f"saved:{vendor_id}")[:8], 16) < self.switches.saved_share * 0x1_0000_0000

    def spend(self, price: float) -> bool:
        """Charge the team; False where the balance does not cover it."""
        consumed = self.consumed
        if price and consumed + price > self.switches.credit_limit:
            return False
        if price:
            self._store.put("credits", "consumed", consumed + price)
        return True

    def request_id(self) -> int:
        """Signed 64-bit, often negative."""
        number = int(self._store.get("requests", "count", 0)) + 1
        self._store.put("requests", "count", number)
        return int(digest(f"request:{number}")[:16], 16) - (1 << 63)

    def credit_stats(self) -> Response:
        consumed, limit = self.consumed, self.switches.credit_limit
        lead = {"limit": limit, "consumed": consumed, "left_over": limit - consumed}
        none = {"limit": 0, "consumed": 0, "left_over": 0}
        return json_response(
            {
                "credit_usage_stats": {"lead_credit": lead, "direct_dial_credit": none, "export_credit": none},
                "current_credit_cycle": {"start_date": "2026-01-01", "end_date": "2026-01-31"},
            }
        )

    def api_stats(self) -> Response:
        quotas = QUOTAS["professional"]
        return json_response(
            {
                f'["api/v1/{group}"]': {
                    "minute": {"limit": quota[0]},
                    "hour": {"limit": quota[1]},
                    "day": {"limit": quota[2]},
                }
                for group, quota in quotas.items()
            }
        )
