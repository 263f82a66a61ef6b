"""Accuracy of sources from agreement, and of matching from labels: right where the truth is known, silent where it is not."""

from __future__ import annotations

import csv

import pytest

from assets.quality import accuracy, labels
from orchestration.bench import quality_accuracy


def test_accuracies_are_found_again_and_their_intervals_hold_them():
    """A sample of `bench quality --only accuracy`; nominal 95 %, 36 intervals."""
    found = quality_accuracy.source_coverage(12, seed=5)

    assert found["covered"] >= 0.9
    assert found["mean_error_points"] < 1.5


def test_precision_and_recall_are_held_by_their_intervals():
    found = quality_accuracy.label_coverage(60, seed=6)

    assert min(found.values()) >= 0.93


def test_two_sources_that_only_have_each_other_get_no_estimate():
    """Of two, only the product of their accuracies can be known; a guess would look like a figure."""
    both = ("apollo", "uplead")

    assert accuracy.estimates({(both, both): 40, (both, ("apollo", "apollo")): 500}) == []


def test_sources_that_never_err_may_be_perfect():
    told = ("apollo", "uplead", "zoominfo")

    found = accuracy.estimates({(told, ("apollo",) * 3): 500})

    assert [one.source for one in found] == list(told)
    assert all(one.accuracy > 0.99 and one.high == 1.0 and one.low > 0.97 for one in found)


def test_the_one_that_is_outvoted_is_the_one_in_doubt():
    told = ("apollo", "uplead", "zoominfo")
    against_zoominfo = ("apollo", "apollo", "zoominfo")

    found = {
        one.source: one for one in accuracy.estimates({(told, ("apollo",) * 3): 400, (told, against_zoominfo): 100})
    }

    assert found["zoominfo"].high < 0.86
    assert min(found["apollo"].low, found["uplead"].low) > 0.95
    assert abs(found["zoominfo"].accuracy - 0.8) < 0.02


def test_no_label_no_figure_and_every_label_counts(engine):
    labels.put(engine, [])
    assert engine.count("quality.labelled_accuracy") == 0

    pairs = engine.connection.execute(
        "select record_key_l, record_key_r, is_inside from quality.pair_stratum where entity = 'contact' order by 1, 2"
    ).fetchall()
    labels.put(engine, [("contact", left, right, is_inside) for left, right, is_inside in pairs])

    found = engine.connection.execute(
        "select measure, value, low, high, labels from quality.labelled_accuracy"
    ).fetchall()
    assert {row[0]: row[1:] for row in found}["precision"] == (1.0, 1.0, 1.0, len(pairs))


def test_a_wrong_merge_that_a_person_names_lowers_precision(engine):
    pairs = engine.connection.execute(
        "select record_key_l, record_key_r from quality.pair_stratum where entity = 'contact' and is_inside order by 1, 2"
    ).fetchall()

    labels.put(engine, [("contact", left, right, at % 4 > 0) for at, (left, right) in enumerate(pairs)])

    ((value,),) = engine.connection.execute(
        "select value from quality.labelled_accuracy where measure = 'precision'"
    ).fetchall()
    assert value == pytest.approx(0.75, abs=0.01)


def test_the_sample_shows_keys_and_evidence_and_is_the_same_again(engine, tmp_path):
    one, two = tmp_path / "one.csv", tmp_path / "two.csv"

    count = labels.write_sample(engine, one)
    labels.write_sample(engine, two)

    assert one.read_bytes() == two.read_bytes()
    with one.open() as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == count > 50
    assert tuple(rows[0]) == labels.COLUMNS
    assert {row["same"] for row in rows} == {""}
    assert {row["entity"] for row in rows} == {"contact", "organisation"}
    values = {
        value
        for (value,) in engine.connection.execute(
            "select email from standardised.contact where email is not null union select phone from standardised.contact"
        ).fetchall()
    }
    assert not any(value and value in one.read_text() for value in values)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("entity,record_key_l,record_key_r\ncontact,a:1,b:1\n", "column same is missing"),
        ("entity,record_key_l,record_key_r,same\ncontact,a:1,b:1,perhaps\n", "line 2: column same is 'perhaps'"),
        ("entity,record_key_l,record_key_r,same\nperson,a:1,b:1,yes\n", "line 2: column entity must be"),
    ],
)
def test_a_wrong_answer_gets_one_clear_line(tmp_path, text, told):
    path = tmp_path / "labels.csv"
    path.write_text(text)

    with pytest.raises(labels.LabelError, match=told):
        labels.read_labels(path)


def test_answers_are_kept_sorted_and_the_last_one_counts(tmp_path):
    path = tmp_path / "labels.csv"

    labels.write_labels(
        path, [("contact", "a:1", "b:1", True), ("contact", "a:0", "b:0", False), ("contact", "a:1", "b:1", False)]
    )

    assert labels.read_labels(path) == [("contact", "a:0", "b:0", False), ("contact", "a:1", "b:1", False)]
