"""Sets: found in a folder by their files, made from the world with labels and hard cases, chosen by name."""

from __future__ import annotations

import pandas as pd
import pytest

from orchestration.bench.datasets import chosen, labelled, world
from orchestration.exits import Stop


def test_a_set_is_told_apart_by_its_columns(tmp_path):
    for name, column in (("persons", "last_name"), ("shops", "name")):
        (tmp_path / name).mkdir()
        pd.DataFrame({"record_id": ["1"], column: ["x"]}).to_parquet(tmp_path / name / "records.parquet")
        pd.DataFrame({"record_id": ["1"], "entity_id": [1]}).to_parquet(tmp_path / name / "labels.parquet")
    (tmp_path / "unlabelled").mkdir()
    pd.DataFrame({"record_id": ["1"]}).to_parquet(tmp_path / "unlabelled" / "records.parquet")

    found = {one.name: one.entity for one in labelled(tmp_path)}

    assert found == {"persons": "contact", "shops": "organisation"}


def test_a_folder_without_sets_is_a_usage_error(tmp_path):
    with pytest.raises(Stop, match="no sub-folder holds"):
        labelled(tmp_path)


def test_a_name_without_a_set_is_a_usage_error_that_names_the_sets():
    with pytest.raises(Stop, match="there are: febrl1, world-10k-contact"):
        chosen(["worl"], ["febrl1", "world-10k-contact"])

    assert chosen(["world"], ["febrl1", "world-10k-contact"]) == ["world-10k-contact"]
    assert chosen([], ["febrl1", "world-10k-contact"]) == ["febrl1", "world-10k-contact"]


def test_the_world_has_about_the_size_asked_for_and_every_record_a_label(tmp_path):
    sets = {one.entity: one for one in world(500, tmp_path)}

    for dataset in sets.values():
        records = pd.read_parquet(dataset.records)
        labels = pd.read_parquet(dataset.labels)
        hard = pd.read_parquet(dataset.phenomena)
        assert set(records["record_id"]) == set(labels["record_id"])
        assert set(hard["entity_id"]) & set(labels["entity_id"])
    assert 400 <= sets["contact"].rows <= 650
    assert "namesake" in set(pd.read_parquet(sets["contact"].phenomena)["phenomenon"])


def test_a_world_is_made_once_and_alike_everywhere(tmp_path):
    first = [one.digest for one in world(200, tmp_path / "a")]
    before = (tmp_path / "a" / "world-0.2k-contact" / "records.parquet").stat().st_mtime_ns

    again = [one.digest for one in world(200, tmp_path / "a")]

    assert again == first
    assert (tmp_path / "a" / "world-0.2k-contact" / "records.parquet").stat().st_mtime_ns == before
    assert [one.digest for one in world(200, tmp_path / "b")] == first
