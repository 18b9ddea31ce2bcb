"""Whole runs: what they leave in their folder, measure, train and say."""

import json
import shutil

import numpy as np
import pytest

from hwnas import search
from hwnas.latency import QUICK, device
from hwnas.network.from_onnx import from_onnx
from hwnas.search.spending import full_trainings
from hwnas.spaces import MobileNetV2
from hwnas.training import TrainingSettings, load
from tests.search.runs import Guess, essence, run


def test_the_folder_holds_everything(tmp_path):
    found = run(tmp_path / "run")
    best = found.best()
    assert best.metrics["cost"] <= 10
    assert from_onnx(best.onnx).key == best.network.key
    lines = (tmp_path / "run" / "results.csv").read_text().splitlines()
    assert len(lines) == 1 + len(found.record.trials) and lines[0].startswith(
        "number,architecture,status,value,cost"
    )
    assert json.loads((tmp_path / "run" / "environment.json").read_text())["versions"]["torch"]
    assert essence(search.load(tmp_path / "run")) == essence(found)


@pytest.fixture
def few_digits(tmp_path):
    """300 images of digits as a file."""
    data = load("digits", limit=300)
    path = tmp_path / "digits.npz"
    parts = {"images": data.train_images, "labels": data.train_labels}
    parts |= {"test_images": data.test_images, "test_labels": data.test_labels}
    np.savez(path, **{name: part.numpy() for name, part in parts.items()})
    return str(path)


def test_candidates_are_measured_and_trained(tmp_path, few_digits):
    space = MobileNetV2(resolution=32, classes=10, width=0.25, depths=(-1,), widths=(0.75,), kernels=(3, 5))
    on = device("ort-cpu", threads=1, protocol=QUICK)
    settings = {
        "maximize": "params",
        "subject_to": ["latency_ms <= 1000"],
        "metrics": {"latency_ms": Guess()},
        "strategy": "random",
        "budget": 10,
        "device": on,
        "training": search.Training(few_digits, TrainingSettings(epochs=1, augmentation=None, threads=1)),
        "candidates": 2,
        "folder": tmp_path / "run",
    }
    found = search.run(space, **settings)
    assert found.record.winner == 0
    for candidate in found.record.candidates:
        assert 0 < candidate.measured["latency_ms"] < 1000
        assert 0 <= candidate.measured["accuracy"] <= 1
        assert 0 <= candidate.measured["validation_accuracy"] <= 1
        assert candidate.predicted["latency_ms"] == 1.0
    shares = found.record.candidates[0].blocks
    assert shares and all(share.latency_ms > 0 for share in shares)
    before = found.best().onnx.stat().st_mtime_ns
    assert search.run(space, **settings).best().onnx == found.best().onnx
    assert found.best().onnx.stat().st_mtime_ns == before


def test_a_prediction_that_does_not_hold_is_not_an_answer(tmp_path):
    space = MobileNetV2(resolution=32, classes=10, width=0.25, depths=(-1,), widths=(0.75,))
    found = search.run(
        space,
        maximize="params",
        subject_to=["latency_ms <= 0.001"],
        metrics={"latency_ms": Guess(0.0005)},
        strategy="random",
        budget=3,
        device=device("ort-cpu", threads=1, protocol=QUICK),
        candidates=1,
        folder=tmp_path / "run",
    )
    assert found.record.winner is None
    with pytest.raises(search.NothingFeasibleError, match=r"the nearest, .*, has latency_ms 0\.\d"):
        found.best()
    shutil.rmtree(tmp_path / "run")


def test_what_was_measured_or_trained_differently_is_not_used_again(tmp_path, few_digits):
    space = MobileNetV2(resolution=32, classes=10, width=0.25, depths=(-1,), widths=(0.75,), kernels=(3, 5))
    settings = {"maximize": "params", "strategy": "random", "budget": 2, "candidates": 1}
    training = search.Training(few_digits, TrainingSettings(epochs=1, augmentation=None, threads=1))

    def again(**changes):
        return search.run(space, folder=tmp_path / "run", **settings, **changes)

    plain = again()
    assert plain.record.candidates[0].measured == {}
    trained = again(training=training)
    assert trained.best().onnx != plain.best().onnx
    untrained = again()
    assert untrained.best().onnx == plain.best().onnx and "accuracy" not in untrained.best().metrics
    measured = again(device=device("ort-cpu", threads=1, protocol=QUICK))
    assert measured.best().metrics["latency_ms"] > 0
    assert again(training=training).record.candidates[0].measured == trained.record.candidates[0].measured


def test_a_candidate_whose_training_diverges_is_no_answer(tmp_path, few_digits):
    space = MobileNetV2(resolution=32, classes=10, width=0.25, depths=(-1,), widths=(0.75,), kernels=(3, 5))
    found = search.run(
        space,
        maximize="params",
        strategy="random",
        budget=2,
        candidates=1,
        training=search.Training(
            few_digits, TrainingSettings(epochs=1, lr=1e30, augmentation=None, threads=1)
        ),
        folder=tmp_path / "run",
    )
    assert found.record.winner is None
    assert all("diverged" in candidate.reason for candidate in found.record.candidates)


def test_a_warm_up_does_not_count_to_the_budget(tmp_path):
    settings = {"population": 10, "tournament": 4, "warm_up": 60, "warm_up_by": "params"}
    trials = run(tmp_path / "run", strategy_settings=settings, budget=20).record.trials
    assert sum("value" in trial.metrics for trial in trials) >= 20 == full_trainings(trials, "value")


def test_a_search_that_ends_before_its_budget_says_so(tmp_path):
    said = []
    run(tmp_path / "run", subject_to=["cost <= 1"], events=search.Events(step=said.append))
    assert any("1 of 60 networks" in line and "nothing new" in line for line in said)
