"""The simulated surroundings of the demo: one world, four simulators on loopback, one virtual clock.

Belongs here: starting them, pointing settings at them, remembering the world between demos.
Does not: what a simulated vendor does (`sources/*/simulator.py`), the world itself (`sources/world`).
Surprise: the world is remembered as a recipe (people, seed, rounds of change), not as data; rebuilding it gives the
same bytes. A round is noted before it is run, so a demo killed in the middle goes on with the same world.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from pathlib import Path

from assets.publishing.rules import DEMO
from pydantic import SecretStr
from sources.clock import VIRTUAL_START, Clock, VirtualClock
from sources.simulation import Simulator, SimulatorStore, serve
from sources.world.world import World

from orchestration.exits import Exit, Stop
from orchestration.settings import (
    ApolloSettings,
    HaloSettings,
    Settings,
    Sources,
    UpLeadSettings,
    ZoomInfoSettings,
)

RECIPE = "world.json"
PROFILE = "bench-v1"


@dataclass
class Recipe:
    """How to make the demo's world again; `virtual_s` is where its clock stood."""

    people: int
    seed: int
    rounds: list[tuple[float, str]] = field(default_factory=list)
    virtual_s: float = 0.0

    @classmethod
    def read(cls, folder: Path) -> Recipe | None:
        path = folder / RECIPE
        try:
            return cls(**json.loads(path.read_text())) if path.exists() else None
        except (ValueError, TypeError) as error:
            raise Stop(f"{path} is not a world that this demo noted; add --fresh to begin anew.", Exit.USAGE) from error

    def write(self, folder: Path) -> None:
        draft = folder / f"{RECIPE}.tmp"
        draft.write_text(json.dumps(asdict(self)))
        draft.replace(folder / RECIPE)

    def clock(self) -> VirtualClock:
        return VirtualClock(VIRTUAL_START + timedelta(seconds=self.virtual_s))


@dataclass
class Surroundings:
    """What `simulated` yields."""

    settings: Settings
    world: World
    clock: VirtualClock
    simulators: dict[str, Simulator]


def recipe_for(data: Path, *, people: int | None, seed: int | None, change: float) -> Recipe:
    """The remembered recipe, or a new one; a change is added to it and noted at once.

    Raises:
        Stop: a world of another size or seed is there already (exit 2).
    """
    known = Recipe.read(data)
    if known is None:
        known = Recipe(people=people or 3_000, seed=7 if seed is None else seed)
    for name, asked, found in (("people", people, known.people), ("seed", seed, known.seed)):
        if asked is not None and asked != found:
            raise Stop(f"{data} holds a world with {name} {found:,}; add --fresh to begin a new one.", Exit.USAGE)
    if change:
        day_later = known.clock().now() + timedelta(days=1)
        known.rounds.append((change, day_later.isoformat()))
        known.virtual_s += timedelta(days=1, minutes=10).total_seconds()
    known.write(data)
    return known


@contextmanager
def simulated(settings: Settings, recipe: Recipe) -> Iterator[Surroundings]:
    """Start everything; settings come back pointed at the simulators."""
    world = World.replay(recipe.people, recipe.seed, PROFILE, recipe.rounds)
    clock = recipe.clock()
    with ExitStack() as stack:
        simulators = _simulators(world, clock, settings.data_root / "simulators")
        urls = {name: stack.enter_context(serve(simulator)) for name, simulator in simulators.items()}
        yield Surroundings(_pointed_at(settings, urls), world, clock, simulators)
    recipe.virtual_s = (clock.now() - VIRTUAL_START).total_seconds()
    recipe.write(settings.data_root)


def _simulators(world: World, clock: VirtualClock, folder: Path) -> dict[str, Simulator]:
    return {
        name: simulator_of(name, world, clock, SimulatorStore(folder / f"{name}.sqlite"))
        for name in ("apollo", "zoominfo", "uplead", "halopsa")
    }


def simulator_of(name: str, world: World, clock: Clock, store: SimulatorStore | None = None) -> Simulator:
    """The simulated vendor of that name; without a store it forgets everything with this process."""
    # Imported here: a `run` on real accounts needs none of them.
    from sources.apollo.simulator import ApolloSimulator
    from sources.halopsa.simulator import HaloSimulator
    from sources.uplead.simulator import UpLeadSimulator
    from sources.zoominfo.simulator import ZoomInfoSimulator

    makers: dict[str, Callable[[World, Clock, SimulatorStore | None], Simulator]] = {
        "apollo": ApolloSimulator,
        "zoominfo": ZoomInfoSimulator,
        "uplead": UpLeadSimulator,
        "halopsa": HaloSimulator,
    }
    return makers[name](world, clock, store)


def environment_of(name: str, url: str) -> dict[str, str]:
    """The settings by which halosync finds one simulator at `url`; its keys are made up and open nothing else."""
    known = _accounts(dict.fromkeys(("apollo", "zoominfo", "uplead", "halopsa"), url))
    found = Settings.model_construct(sources=known, publishing_file=None).as_environment()
    # The simulator, like Apollo, ignores what it does not know, so this asks for everybody.
    query = {"SOURCES__APOLLO__QUERY": '{"is_everybody": true}'} if name == "apollo" else {}
    return {key: value for key, value in found.items() if key.startswith(f"SOURCES__{name.upper()}__")} | query


def _pointed_at(settings: Settings, urls: dict[str, str]) -> Settings:
    """The same settings with the simulators' addresses and their made-up keys."""
    return settings.model_copy(update={"sources": _accounts(urls), "publishing_file": settings.publishing_file or DEMO})


def _accounts(urls: dict[str, str]) -> Sources:
    from sources.halopsa.simulator_modes import HaloModes

    halo = HaloModes()
    return Sources(
        apollo=ApolloSettings(base_url=urls["apollo"], api_key=SecretStr("apollo-good")),
        zoominfo=ZoomInfoSettings(
            base_url=urls["zoominfo"], client_id="zi-demo-client", client_secret=SecretStr("zi-demo-secret")
        ),
        uplead=UpLeadSettings(base_url=urls["uplead"], api_key=SecretStr("uplead-demo-key")),
        halopsa=HaloSettings(
            base_url=urls["halopsa"],
            tenant=halo.tenant,
            client_id=halo.client_id,
            client_secret=SecretStr(halo.client_secret),
        ),
    )
