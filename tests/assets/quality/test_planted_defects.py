"""Samples of `halosync bench quality`: planted defects, clean nights, nights that are not, over-merges."""

from __future__ import annotations

import shutil
from datetime import timedelta

import duckdb
import pytest

from assets.quality import night
from orchestration.bench import clean_nights, planted_overmerges
from orchestration.bench.planted_defects import DEFECTS, SIZES
from tests.assets.quality.conftest import NIGHT
from transforms.engines.duckdb import DuckDBEngine

SAMPLE = [defect for defect in DEFECTS if defect.size == SIZES[1]]


def numbers(engine):
    return {
        name: (section, value)
        for name, section, value in engine.connection.execute(
            "select number_id, section, value from quality.judged"
        ).fetchall()
    }


def test_there_are_forty_defects_of_each_kind_at_several_sizes():
    assert len(DEFECTS) == len({defect.name for defect in DEFECTS}) == 40
    assert len(SIZES) == 4


def test_each_defect_is_told_in_its_section_to_the_unit(engine):
    """Kinds that touch different numbers are planted together, which is one report instead of ten."""
    before = numbers(engine)
    for defect in SAMPLE:
        if not defect.kind.number_id.startswith(("unexplained", "effect")):
            defect.plant(engine.connection)

    night.build(engine, NIGHT)

    after = numbers(engine)
    for defect in SAMPLE:
        name = defect.kind.number_id
        if not name.startswith(("unexplained", "effect")):
            assert after[name] == (defect.kind.section, before.get(name, ("", 0))[1] + defect.size), defect.name
    assert after["self_check"] == ("R16", 0), "the second implementation counts planted defects as the first does"


@pytest.fixture(scope="module")
def after_clean_nights(reported, tmp_path_factory):
    """A warehouse after some clean nights, and what their reports said."""
    path = tmp_path_factory.mktemp("nights") / "nights.duckdb"
    shutil.copyfile(reported, path)
    with duckdb.connect(str(path)) as connection:
        # A week like the first night before it, so that limits speak from the start.
        connection.execute(
            "insert into quality.history by name select history.* replace (night - cast(range as integer) as night) "
            "from quality.history as history cross join range(1, 8)"
        )
        played = list(clean_nights.play(connection, 3, seed=1))
    return path, played


def test_clean_nights_warn_of_nothing_and_balance(after_clean_nights):
    _, played = after_clean_nights

    assert [line for one in played for line in one.warnings] == []
    assert [(one.unexplained, one.differing) for one in played] == [(0, 0)] * len(played)
    assert min(one.places for one in played) > 12


def test_a_vendor_that_lost_half_its_people_and_renamed_a_field_is_told(after_clean_nights, tmp_path):
    """Clean nights that stay silent whatever happens would prove nothing."""
    path, played = after_clean_nights
    shutil.copyfile(path, tmp_path / "w.duckdb")
    with duckdb.connect(str(tmp_path / "w.duckdb")) as connection:
        connection.execute(
            "delete from raw_uplead.contact where id < (select quantile_disc(id, 0.5) from raw_uplead.contact)"
        )
        connection.execute("""update raw_apollo.contact set payload = replace(payload, '"title":', '"job_name":')""")
        night.build(DuckDBEngine(connection), clean_nights.FIRST + timedelta(days=len(played)))
        found = connection.execute("select number_id from quality.judged where severity = 'warning'").fetchall()
        drifted = connection.execute("select field, drift from quality.field_drift order by all").fetchall()

    assert {name for (name,) in found} >= {
        "fetched/contact/uplead",
        "field_drift/contact/apollo/gone",
        "field_drift/contact/apollo/new_ever",
    }
    assert drifted == [("job_name", "new_ever"), ("title", "gone")]


def test_planted_over_merges_stand_at_the_top(opened):
    """Nine of ten in the top 5 % is what the bench asks on a larger world; here there are few clusters to hide among."""
    planted = in_top = 0
    for seed in (1, 2):
        for found in planted_overmerges.play(opened().connection, 0.04, seed=seed).values():
            planted, in_top = planted + found.planted, in_top + found.in_top

    assert planted >= 6
    assert in_top >= 0.5 * planted
