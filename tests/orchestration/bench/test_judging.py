"""The judge on hand-made runs whose every figure can be counted by hand."""

from __future__ import annotations

import pandas as pd
import pytest

from orchestration.bench.datasets import Dataset
from orchestration.bench.judging import Incomplete, judge

# a, b, c are one entity; d, e another; f is alone.
ENTITY = {"a": 1, "b": 1, "c": 1, "d": 2, "e": 2, "f": 3}
EMAIL = {"a": "A@x.com", "b": "a@X.com", "c": None, "d": "d@x.com", "e": "d@x.com", "f": None}


@pytest.fixture
def dataset(tmp_path):
    records = pd.DataFrame({"record_id": list(ENTITY), "source": "s", "email": [EMAIL[name] for name in ENTITY]})
    records.to_parquet(tmp_path / "records.parquet")
    labels = pd.DataFrame({"record_id": list(ENTITY), "entity_id": list(ENTITY.values())})
    labels.to_parquet(tmp_path / "labels.parquet")
    phenomena = pd.DataFrame({"entity_id": [1, 2, 2], "phenomenon": ["namesake", "namesake", "typo"]})
    phenomena.to_parquet(tmp_path / "phenomena.parquet")
    files = (tmp_path / f"{name}.parquet" for name in ("records", "labels", "phenomena"))
    return Dataset("hand", "contact", *files)


def clusters(tmp_path, groups):
    rows = [(name, f"cluster {number}") for number, group in enumerate(groups) for name in group]
    pd.DataFrame(rows, columns=["record_id", "cluster_id"]).to_parquet(tmp_path / "clusters.parquet")
    return tmp_path / "clusters.parquet"


def pairs(tmp_path, rows):
    table = pd.DataFrame(rows, columns=["record_id_l", "record_id_r", "probability"])
    table.to_parquet(tmp_path / "pairs.parquet")
    return tmp_path / "pairs.parquet"


def test_figures_of_a_partition(dataset, tmp_path):
    found = judge(dataset, clusters(tmp_path, ["ab", "cd", "e", "f"]), None, links_by_components=False)

    assert (found["records"], found["entities"], found["unlabelled"]) == (6, 3, 0)
    assert (found["precision"], found["recall"]) == (1 / 2, 1 / 4)
    assert found["exact_entities"] == pytest.approx(1 / 3)
    assert found["over_merged"] == pytest.approx(2 / 6)
    assert found["mixed_clusters"] == 1 / 2
    assert found["phenomena"] == {
        "namesake": {
            "records": 5,
            "over_merged": 2 / 5,
            "b3_recall": pytest.approx((2 / 3 * 2 + 1 / 3 + 1 / 2 * 2) / 5),
        },
        "typo": {"records": 2, "over_merged": 1 / 2, "b3_recall": 1 / 2},
    }


def test_records_without_a_label_are_left_out_and_told(dataset, tmp_path):
    labels = pd.read_parquet(dataset.labels)
    labels[labels["record_id"] != "f"].to_parquet(dataset.labels)

    found = judge(dataset, clusters(tmp_path, ["abc", "def"]), None, links_by_components=False)

    assert (found["records"], found["unlabelled"], found["f1"]) == (5, 1, 1.0)


def test_a_record_in_no_cluster_is_refused(dataset, tmp_path):
    with pytest.raises(Incomplete, match="1 of 6 records"):
        judge(dataset, clusters(tmp_path, ["abc", "de"]), None, links_by_components=False)


def test_the_best_threshold_is_looked_for_with_components(dataset, tmp_path):
    edges = pairs(tmp_path, [("a", "b", 0.99), ("b", "c", 0.75), ("d", "e", 0.75), ("e", "f", 0.6)])

    found = judge(dataset, clusters(tmp_path, ["ab", "c", "d", "e", "f"]), edges, links_by_components=True)

    assert (found["best"]["threshold"], found["best"]["f1"]) == (0.7, 1.0)


def test_blocking_calibration_and_promises_are_read_off_the_pairs(dataset, tmp_path):
    """True pairs: ab ac bc de. Compared: ab bc cd. Of those that share a value (ab, de) one was compared."""
    compared = pairs(tmp_path, [("b", "a", 0.9), ("b", "c", 0.5), ("c", "d", 0.2)])

    found = judge(dataset, clusters(tmp_path, ["ab", "c", "d", "ef"]), compared, links_by_components=False)

    assert found["blocking"] == {
        "candidates": 3,
        "true_pairs": 4,
        "recall": 2 / 4,
        "sharing_pairs": 2,
        "recall_sharing": 1 / 2,
    }
    assert found["calibration"]["mean_absolute_error"] == pytest.approx((0.1 + 0.5 + 0.2) / 3)
    assert found["promised"] == {"precision": pytest.approx(0.9 / 2), "recall": pytest.approx(0.9 / 1.6)}
