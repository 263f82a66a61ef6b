"""One night's tables: they agree with each other, with a second implementation, and with themselves made again."""

from __future__ import annotations

import pytest

from assets.quality import night
from assets.quality.catalogue import SECTIONS, metrics
from assets.quality.columns import COLUMNS
from assets.quality.dag import comment
from tests.assets.quality.conftest import NIGHT, night_after


def rows(engine, query):
    return engine.connection.execute(query).fetchall()


def test_every_number_is_in_the_catalogue_and_every_section_has_one(engine):
    made = {metric for (metric,) in rows(engine, "select distinct metric from quality.number")}
    judged = {section for (section,) in rows(engine, "select distinct section from quality.judged")}

    assert made <= metrics().keys()
    assert judged >= {f"R{number}" for number in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 14, 16)}
    assert {metric.section for metric in metrics().values()} <= SECTIONS.keys()


def test_the_second_implementation_agrees_on_every_number(engine):
    compared, differing = rows(engine, "select count(*), count(*) filter (where differs) from quality.self_check")[0]

    assert compared == rows(engine, "select count(*) from quality.number where metric <> 'field_drift'")[0][0] > 300
    assert differing == 0


def test_a_slip_in_one_implementation_is_an_error_of_the_report(engine):
    """R16 would be worth nothing if it could not disagree."""
    engine.connection.execute(
        "delete from golden.contact where golden_id = (select min(golden_id) from golden.contact)"
    )
    for name in night.NAMES[night.NAMES.index("quality.self_check") :]:
        night.make(engine, name)

    assert rows(engine, "select severity from quality.judged where metric = 'self_check'") == [("error",)]


def test_the_funnel_adds_up_to_the_row(engine):
    assert rows(engine, "select sum(abs(unexplained)), count(*) > 12 from quality.funnel_balance") == [(0, True)]


def test_a_row_that_vanishes_between_two_tables_is_an_error(engine):
    """Not by subtraction: the loss is nobody's, so the step is unexplained and the verdict no."""
    engine.connection.execute(
        "delete from golden.contact where golden_id in (select golden_id from golden.contact order by 1 limit 3)"
    )

    night.build(engine, NIGHT)

    found = "select entity, field, value, severity from quality.judged where metric = 'unexplained' and value > 0"
    assert rows(engine, found) == [("contact", "4", 3, "error")]


def test_as_many_ids_stand_behind_a_number_as_it_says(engine):
    query = """
        with subjects as (
            select metric, entity, source, field, count(*) as ids from quality.subject group by all
        )
        select number.number_id, number.value, subjects.ids
        from quality.number as number
        full outer join subjects using (metric, entity, source, field)
        where coalesce(number.metric, '') in (select metric from subjects)
          and coalesce(subjects.ids, 0) <> coalesce(number.value, 0)
    """

    assert rows(engine, query) == []
    assert rows(engine, "select count(distinct metric) > 15 from quality.subject") == [(True,)]


def test_a_night_made_again_is_the_same_night(engine):
    before = rows(engine, "select * from quality.history order by all")

    night.build(engine, NIGHT)

    assert rows(engine, "select * from quality.history order by all") == before
    assert rows(engine, "select count(distinct night) from quality.history") == [(1,)]


def test_a_second_night_knows_the_first(engine):
    night.build(engine, night_after(1))

    assert rows(engine, "select count(distinct night) from quality.history") == [(2,)]
    assert rows(engine, "select min(nights), max(nights) from quality.trend") == [(1, 1)]
    assert rows(engine, "select distinct nights from quality.frozen") == [(1,)]


@pytest.mark.parametrize("table", night.NAMES)
def test_no_table_repeats_its_key(engine, table):
    """The header of an SQL file is held here to what it says of the key."""
    from assets.describe import header

    if table.removeprefix("quality.") in (*night.IN_PYTHON, "subject"):
        return
    key = header(table)["key"]

    assert rows(engine, f"select count(*) - count(distinct ({key})) from {table}") == [(0,)]


def test_every_table_and_column_says_what_it_is(engine):
    comment(engine.connection)

    query = (
        "select table_name, column_name from duckdb_columns() where schema_name = 'quality' and comment is null "
        "and table_name not in ('subject', 'pair_stratum') order by all"
    )
    assert rows(engine, query) == []
    mute = "select table_name from duckdb_tables() where schema_name = 'quality' and comment is null"
    assert rows(engine, mute) == []
    used = {name for (name,) in rows(engine, "select column_name from duckdb_columns() where schema_name = 'quality'")}
    assert set(COLUMNS) <= used
