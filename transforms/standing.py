"""Whether a run may build on the tables of the last one.

Belongs here: the fingerprint of all that tables are made from but the data themselves. Does not: what an incremental
run renews (pipeline.py).
Surprise: the mark is taken away when a run begins and set again when it has ended, so a run that died half-way is
followed by a full one.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

import pyarrow as pa

from transforms.context import Context
from transforms.contracts import ENTITIES
from transforms.engines.port import Engine
from transforms.kernels.references import SHARED_HOSTS

MARK = "ops.made_from"
_ROOM = Path(__file__).parent


def fingerprint(context: Context) -> str:
    """A digest of models, rules and this room's code and SQL."""
    digest = hashlib.sha256(_code().encode())
    for entity in ENTITIES:
        model = context.models.get(entity)
        digest.update((model.model_dump_json() if model else "").encode())
    digest.update((context.rules.model_dump_json() if context.rules else "").encode())
    return digest.hexdigest()


def may_build_on(engine: Engine, context: Context) -> bool:
    """Whether the tables were made by a run that ended, from the same models and code."""
    return engine.has(MARK) and engine.fetch(MARK)["fingerprint"].to_pylist() == [fingerprint(context)]


def unmark(engine: Engine) -> None:
    """From now on the tables are in between."""
    engine.put(MARK, pa.table({"fingerprint": pa.array([], pa.string())}))


def mark(engine: Engine, context: Context) -> None:
    """All tables are made; the next run may build on them."""
    engine.put(MARK, pa.table({"fingerprint": [fingerprint(context)]}))


@lru_cache(maxsize=1)
def _code() -> str:
    digest = hashlib.sha256()
    for path in sorted(path for kind in ("*.py", "*.sql", "*.toml") for path in _ROOM.rglob(kind)):
        digest.update(path.relative_to(_ROOM).as_posix().encode() + b"\0" + path.read_bytes())
    digest.update("\n".join(sorted(SHARED_HOSTS)).encode())  # these come with packages, not with this room
    return digest.hexdigest()
