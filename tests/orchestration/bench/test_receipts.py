"""Receipts: found again for the same key only, whole or not there, and told apart by content."""

from __future__ import annotations

import pytest

from orchestration.bench.receipts import Receipts, fingerprint
from orchestration.exits import Stop

KEY = {"data": "d1", "code": "c1", "settings": {"is_tuned": True}}


def test_a_receipt_is_found_again_for_the_same_key(tmp_path):
    kept = Receipts(tmp_path).keep("one", KEY, {"figures": {"f1": 0.5}})

    found = Receipts(tmp_path).find("one", KEY)

    assert found == kept
    assert found["figures"] == {"f1": 0.5}


@pytest.mark.parametrize("changed", [{"data": "d2"}, {"code": "c2"}, {"settings": {"is_tuned": False}}])
def test_a_receipt_for_another_key_is_not_used(tmp_path, changed):
    Receipts(tmp_path).keep("one", KEY, {})

    assert Receipts(tmp_path).find("one", KEY | changed) is None


def test_what_is_no_receipt_is_refused_by_name(tmp_path):
    (tmp_path / "one.json").write_text("[]")

    with pytest.raises(Stop, match=r"one\.json is no receipt"):
        Receipts(tmp_path).find("one", KEY)


def test_a_fingerprint_follows_names_and_contents_and_nothing_else(tmp_path):
    for folder, name, text in (("a", "x", "1"), ("same", "x", "1"), ("renamed", "y", "1"), ("edited", "x", "2")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / name).write_text(text)
    (tmp_path / "same" / "__pycache__").mkdir()
    (tmp_path / "same" / "__pycache__" / "x.pyc").write_text("compiled")

    prints = {folder: fingerprint([tmp_path / folder]) for folder in ("a", "same", "renamed", "edited")}

    assert prints["a"] == prints["same"]
    assert len(set(prints.values())) == 3
