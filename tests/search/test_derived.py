from dataclasses import asdict
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from hwnas.latency import QUICK, device
from hwnas.network.weights import random_weights
from hwnas.objectives import Constraint
from hwnas.search import Training
from hwnas.search.derived import DERIVED, Derived, read_derived, verify_derived
from hwnas.search.store import CorruptRunError
from hwnas.spaces import NASBench201
from hwnas.training import TrainingSettings

SPACE = NASBench201(channels=2, cells=1, resolution=12)
CELL = SPACE.parse("|nor_conv_1x1~0|+|none~0|skip_connect~1|+|avg_pool_3x3~0|none~1|none~2|")
NOTHING = {"predictor": None, "device": None, "training": None, "say": lambda message: None}


def derived(**targets: float) -> Derived:
    bounds = [Constraint(name, bound) for name, bound in targets.items()]
    return Derived(CELL, {"flops": 1e6}, 0.5, bounds, random_weights(CELL.network, seed=3))


def test_the_file_has_the_inherited_weights(tmp_path: Path) -> None:
    what = derived()
    found = verify_derived(what, tmp_path, **NOTHING)
    assert found.onnx is not None and not found.measured
    model = onnx.load(tmp_path / found.onnx)
    written = {one.name: numpy_helper.to_array(one) for one in model.graph.initializer}
    for name in what.weights.keys() & written.keys():
        assert np.array_equal(written[name], what.weights[name])
    assert what.weights.keys() & written.keys()
    kept = read_derived(tmp_path)
    assert kept is not None and asdict(kept) == {**asdict(found), "blocks": []}


def test_targets_are_judged_by_what_is_known(tmp_path: Path) -> None:
    assert verify_derived(derived(flops=1e6), tmp_path, **NOTHING).satisfies
    assert not verify_derived(derived(flops=9e5), tmp_path, **NOTHING).satisfies
    assert not verify_derived(derived(latency_ms=1e6), tmp_path, **NOTHING).satisfies


def test_it_is_trained_and_measured_as_candidates_are(tmp_path: Path) -> None:
    settings = TrainingSettings(epochs=1, batch_size=256)
    how = {**NOTHING, "training": Training("digits", settings)}
    on = device("ort-cpu", threads=1, protocol=QUICK)
    found = verify_derived(derived(latency_ms=1000.0), tmp_path, **{**how, "device": on})
    assert found.measured.keys() == {"latency_ms", "validation_accuracy", "accuracy"}
    assert found.satisfies
    assert (tmp_path / str(found.onnx)).exists()


def test_the_inherited_network_is_measured(tmp_path: Path) -> None:
    on = device("ort-cpu", threads=1, protocol=QUICK)
    found = verify_derived(derived(latency_ms=1000.0), tmp_path, **{**NOTHING, "device": on})
    assert found.measured.keys() == {"latency_ms"}
    assert 0 < found.measured["latency_ms"] < 1000
    assert found.satisfies


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    assert read_derived(tmp_path) is None
    (tmp_path / DERIVED).write_text('{"architecture": "x"}')
    with pytest.raises(CorruptRunError, match=r"derived\.json is damaged"):
        read_derived(tmp_path)
