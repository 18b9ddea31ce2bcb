from dataclasses import replace
from pathlib import Path

import pytest

from hwnas.differentiable.records import RECORD, DifferentiableRecord, Epoch, load

EPOCH = Epoch(
    number=1,
    train_loss=2.3,
    train_accuracy=0.1,
    validation_loss=None,
    validation_accuracy=None,
    expected={"flops": 1e6},
    derived="a=1",
    derived_costs={"flops": 9e5},
    skips=1,
    probabilities={"a": (0.25, 0.75)},
    multipliers={},
    temperature=None,
    seconds=1.5,
    peak_memory_bytes=1000,
)
RECORD_OF_TWO = DifferentiableRecord(
    title="a search",
    space="nasbench201",
    method="darts",
    settings={"seed": 0},
    targets={"flops": 1e6},
    groups={"a": ("x", "y")},
    epochs=(EPOCH, replace(EPOCH, number=2, validation_loss=2.0, validation_accuracy=0.3, temperature=0.5)),
    architecture="a=1",
    stopped="",
    environment={"python": "3"},
)


def test_what_is_saved_is_loaded(tmp_path: Path):
    RECORD_OF_TWO.save(tmp_path)
    assert load(tmp_path) == RECORD_OF_TWO


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"epochs": [1]}', '{"epochs": [], "groups": {}}'])
def test_a_damaged_record_is_named(text: str, tmp_path: Path):
    (tmp_path / RECORD).write_text(text)
    with pytest.raises(ValueError, match=r"record\.json is damaged"):
        load(tmp_path)


def test_a_folder_without_a_record_is_said(tmp_path: Path):
    with pytest.raises(ValueError, match=r"holds no differentiable search: record\.json is missing"):
        load(tmp_path)
