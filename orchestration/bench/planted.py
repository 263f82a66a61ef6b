"""Planted bugs: small patches of the publisher, each of which the fault tests must notice.

Belongs here: the list, and trying one on a copy of the program. Does not: the tests, receipts (faults.py).
Surprise: a patch is applied to a copy of the source and the tests run there in a process of their own, so that what is
tried is what a person could have written by mistake.
"""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from orchestration.bench.suites import play
from orchestration.settings import PROJECT_ROOT

# What is copied, and which tests look: first those that state the rules of publishing, for they are the quickest.
COPIED = ("sources", "transforms", "assets", "orchestration", "tests", "pyproject.toml")
TESTS = (
    *("tests/assets/publishing/test_merge.py", "tests/assets/publishing/test_publisher.py"),
    *("tests/faults/test_answers.py", "tests/faults/test_people.py", "tests/faults/test_rivals.py"),
    *("tests/faults/test_histories.py", "tests/faults/test_boundaries.py"),
    *("tests/assets/publishing/test_poison.py", "tests/assets/publishing/test_deaths.py"),
)


@dataclass(frozen=True)
class Bug:
    """`old` stands exactly once in `path`; `new` is the mistake."""

    name: str
    path: str
    old: str
    new: str

    def is_plantable(self) -> bool:
        return (PROJECT_ROOT / self.path).read_text("utf-8").count(self.old) == 1


_P, _H = "assets/publishing", "sources/halopsa"
BUGS = (
    Bug("a lost create is sent again without a look", f"{_P}/recover.py",
        "    missing = [one for one in lost if not _look(session, one)]\n",
        "    missing = []\n    for one in lost:\n        session.log.note(one.effect_id, 'absent', '')\n"),
    Bug("the settle time is skipped and one look is enough", f"{_P}/recover.py",
        "        session.clock.sleep(SETTLE_S)\n", "        pass\n"),
    Bug("a lost update counts as applied", f"{_P}/recover.py",
        "    if not is_applied:\n        return False\n", ""),
    Bug("what is found is not adopted", f"{_P}/recover.py",
        '    session.log.found(one.effect_id, draft, whole)\n    return True\n',
        '    session.log.note(one.effect_id, "absent", "")\n    return True\n'),
    Bug("a record of somebody else is adopted", f"{_P}/recover.py",
        "(record.golden_id == one.golden_id if is_stamped else _is_same(record, one))", "True"),
    Bug("the last look is as narrow as the first", f"{_P}/recover.py",
        'search = {} if is_last else {"search": _search_text(one)}', 'search = {"search": _search_text(one)}'),
    Bug("a lost answer counts as refused", f"{_H}/client.py",
        'return WriteOutcome("unknown", None, error.status, message, "server" if',
        'return WriteOutcome("rejected", None, error.status, message, "server" if'),
    Bug("a 401 is the record's fault", f"{_H}/client.py",
        "RateLimited | Unauthorised | Forbidden)", "RateLimited | Forbidden)"),
    Bug("a refusal by rate is final", f"{_H}/client.py",
        "RateLimited | Unauthorised | Forbidden)", "Unauthorised | Forbidden)"),
    Bug("an unreadable answer is a success", f"{_H}/client.py",
        'return WriteOutcome("unknown", None, response.status_code, message, "unreadable"), None',
        'return WriteOutcome("rejected", None, response.status_code, message, "unreadable"), None'),
    Bug("the effect is durable only after the answer", f"{_P}/effects.py",
        '            "state": "sending",\n', '            "state": "rejected",\n'),
    Bug("no fence before the bytes leave", f"{_P}/effects.py",
        "        with self._ledger.read() as connection:\n            self._check_fence(connection)\n",
        "        return\n"),
    Bug("the link of a create is not kept", f"{_P}/effects.py",
        "                links.append(link)\n                records.append(record)\n                if one.draft",
        "                records.append(record)\n                if one.draft"),
    Bug("what was published is forgotten", f"{_P}/effects.py",
        "**{name: Published(value, held[name]) for name, value in draft.values.items() if not is_theirs},\n", "\n"),
    Bug("what a later read shows counts as ours", f"{_P}/effects.py",
        "    if is_reply:\n        held |=", "    if True:\n        held |="),
    Bug("effects without an outcome are overlooked", f"{_P}/effects.py",
        'where(effect.c.state.in_(("sending", "unknown")))', 'where(effect.c.state.in_(("unknown",)))'),
    Bug("a person's edit is overwritten", f"{_P}/merge.py",
        "        return Outcome.HUMAN if golden is None or _equal(golden, published.sent) else Outcome.CONFLICT\n",
        "        return Outcome.HUMAN if golden is None or _equal(golden, published.sent) else Outcome.WRITE\n"),
    Bug("a person's blank is refilled", f"{_P}/merge.py",
        "    if not _equal(now, published.held):\n", "    if not _equal(now, published.held) and not _blank(now):\n"),
    Bug("on adoption a person's value is overwritten", f"{_P}/merge.py",
        "    return Outcome.AGREE if _equal(halo, golden) else Outcome.CONFLICT\n",
        "    return Outcome.AGREE if _equal(halo, golden) else Outcome.WRITE\n"),
    Bug("nothing over a value", f"{_P}/merge.py",
        "    if golden is None or _equal(golden, published.sent) or owner",
        "    if _equal(golden, published.sent) or owner"),
    Bug("half of a person's address and half of ours", f"{_P}/merge.py",
        "            writes -= group\n", "            pass\n"),
    Bug("updates are decided on the mirror alone", f"{_P}/updates.py",
        "        now,\n        session.rules.owners_of(link.resource),",
        "        None,\n        session.rules.owners_of(link.resource),"),
    Bug("arrays go round the fence", f"{_P}/updates.py",
        "        session.log.before_bytes_leave()\n", '        session.reach("before_bytes_leave")\n'),
    Bug("an array counts as published whatever came back", f"{_P}/updates.py",
        "if (verdict := verdict_of(one)) is not None}", "if (verdict := verdict_of(one)) is None}"),
    Bug("a lost answer counts as published", f"{_P}/session.py",
        '        return Verdict(draft.version, "unknown", reason, failed_by, is_counted)\n',
        '        return Verdict(draft.version, "published")\n'),
    Bug("a record that may be sent later is given up", f"{_P}/session.py",
        '        return Verdict(draft.version, "pending", f"not sent yet ({failed_by})", failed_by, is_counted)\n',
        '        return Verdict(draft.version, "rejected", "given up", failed_by, is_counted)\n'),
    Bug("what was cleared up is not queued again", f"{_P}/outbox.py",
        'reason=sa.case((is_parked, parked), else_=None),\n            )\n        )\n',
        'reason=sa.case((is_parked, parked), else_=None),\n            ).where(outbox.c.golden_id == "")\n        )\n'),
    Bug("a retired record that people changed is deactivated", f"{_P}/retire.py",
        '        return "a person has changed it since"\n', "        return None\n"),
    Bug("a record that was there before us is deactivated", f"{_P}/retire.py",
        '        return "it was there before us"\n', "        return None\n"),
    Bug("an inactive record is written to", f"{_P}/plan.py",
        "    if now is not None and now.is_inactive and not link",
        "    if now is not None and not now.resource and not link"),
    Bug("the old payload is sent again on a retry", f"{_P}/recover.py",
        "    if not is_applied:\n",
        "    if not is_applied:\n        body = mapping.payload(one.resource, one.values, address_now={})\n"
        "        session.halo.update(one.resource, one.halo_id, body)  # type: ignore[arg-type]\n"),
    Bug("a lost deactivation counts as done", f"{_P}/recover.py",
        "        is_applied = record.is_inactive\n", "        is_applied = True\n"),
    Bug("of two hits the first is taken", f"{_P}/recover.py", "    if len(hits) > 1:\n", "    if len(hits) > 2:\n"),
    Bug("the cursor moves before the write", f"{_P}/publisher.py",
        '    try:\n        if entity == "organisation":\n',
        '    session.settle({head.golden_id: Verdict(head.version, "published") for head in todo})\n'
        '    try:\n        if entity == "organisation":\n'),
    Bug("an error is swallowed and the run looks whole", f"{_P}/publisher.py",
        'session.result.problems.append(f"Publishing stopped early', 'str(f"Publishing stopped early'),
    Bug("each run takes a lease of its own", f"{_P}/publisher.py",
        "    with ledger.lease(LEASE) as lease:\n", '    with ledger.lease(f"{LEASE}-{run_id}") as lease:\n'),
    Bug("no fencing at all", f"{_P}/effects.py",
        "        if newest != self._lease.fence:\n", "        if newest is None:\n"),
    Bug("the row of a lost write is rolled back with it", f"{_P}/effects.py",
        "            if marks:\n                connection.execute(_SETTLE",
        '            lost = [one["of_id"] for one in marks if one["to_state"] == "unknown"]\n'
        "            connection.execute(sa.delete(effect).where(effect.c.effect_id.in_(lost)))\n"
        '            marks = [one for one in marks if one["of_id"] not in lost]\n'
        "            if marks:\n                connection.execute(_SETTLE"),
    Bug("an older answer settles a newer version", f"{_P}/outbox.py",
        'outbox.c.version == sa.bindparam("of_version")', 'outbox.c.version >= sa.bindparam("of_version")'),
    Bug("a read from before a back-off is written on", f"{_P}/updates.py",
        "    is_stale = session.clock.time() - read.at_s > READ_AGE_S_MAX\n", "    is_stale = False\n"),
    Bug("a page is as old as its judging", f"{_P}/updates.py",
        "row, shown_at_s, is_whole=False)", "row, session.clock.time(), is_whole=False)"),
    Bug("a list that ended early counts as whole", f"{_H}/client.py",
        "        if not walk.is_complete:\n", "        if False:\n"),
    Bug("one bad element refuses its whole array", f"{_H}/client.py",
        '        if outcome is not None and outcome.kind == "rejected" and outcome.error_class not in _OF_THE_WHOLE:\n',
        "        if False:\n"),
    Bug("every thread renews the token", f"{_H}/session.py",
        "            if self._token == refused or self._token is None:\n", "            if refused:\n"),
    Bug("a record that HaloPSA dies of takes its array along", f"{_P}/updates.py",
        "    suspects = [[draft] for draft in admitted if draft.golden_id in session.suspects]\n"
        "    others = [draft for draft in admitted if draft.golden_id not in session.suspects]\n",
        "    suspects, others = [], admitted\n"),
    Bug("custom fields of people are wiped", f"{_H}/fields.py",
        "sorted((whole | dict(values)).items())", "sorted(dict(values).items())"),
)  # fmt: skip


def caught_by(bug: Bug) -> str | None:
    """The test that fails with `bug` planted, None where all pass; a patch that does not even import is an error.

    Raises:
        RuntimeError: the bug cannot be planted any more, or the tests did not run.
    """
    if not bug.is_plantable():
        raise RuntimeError(f"{bug.path} has changed: the patch of {bug.name!r} does not fit")
    with tempfile.TemporaryDirectory(prefix="halosync-planted-") as folder:
        copy = Path(folder)
        for name in COPIED:
            source = PROJECT_ROOT / name
            if source.is_dir():
                shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, copy / name)
        path = copy / bug.path
        path.write_text(path.read_text("utf-8").replace(bug.old, bug.new), "utf-8")
        played = play(
            *TESTS,
            folder=copy,
            workers=0,
            options=("-x", "-k", "not postgresql"),
            PYTHONPATH=copy,
            PYTHONDONTWRITEBYTECODE=1,
        )
        return played["failures"][0].split(": ", 1)[0] if played["failures"] else None
