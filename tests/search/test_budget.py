"""Budgets that hold: upper bounds in the search, intervals and sentinels in the verification."""

from types import SimpleNamespace

import numpy as np
import pytest

from hwnas import search
from hwnas.latency import device
from hwnas.report.intervals import coverage_sentence, drift_warning
from hwnas.search import verify
from hwnas.search.measured import Measured, read_measured
from hwnas.search.metrics import PredictedMetric, predicted_metrics
from hwnas.search.records import Candidate, Interval
from tests.search.toy import Toy, Value

SENTINELS = {"dense": 300.0, "depthwise": 200.0}


class Calibrated:
    """Predicts the sum of the first decision's channels; bounds are 20 % above."""

    is_calibrated = True
    card = SimpleNamespace(kind="toy", table_id="0" * 64, sentinels=SENTINELS, calibration=None)

    def predict(self, networks):
        return np.array([10.0 * network.layers[0].output.shape[0] for network in networks])

    def upper(self, networks, level):
        return self.predict(networks) * (0.75 + level / 2)

    def interval(self, networks, level):
        return 0.7 * self.predict(networks), 1.3 * self.predict(networks)

    def probability_within(self, networks, bound):
        return (self.predict(networks) <= bound) * 0.9

    def check_device(self, identity):
        pass


class Uncalibrated(Calibrated):
    is_calibrated = False


def run(folder, predictor=None, **changes):
    settings = {
        "maximize": "value",
        "subject_to": ["latency_ms <= 44"],
        "metrics": {"value": Value(), "latency_ms": predictor or Calibrated()},
        "strategy": "random",
        "budget": 60,
        "candidates": 3,
        **changes,
    }
    return search.run(Toy(), folder=folder, **settings)


@pytest.fixture
def machine(monkeypatch):
    """A device on which every network takes `slower` times its prediction, as its sentinels do."""
    state = SimpleNamespace(slower=1.0, sentinels=1.0, calls=0)

    def document(ms):
        state.calls += 1
        sentinels = {name: time * state.sentinels for name, time in SENTINELS.items()}
        return {"latency_ms": ms * state.slower, "sentinels": sentinels}

    def networks(items, on):
        return [document(10.0 * item.network.layers[0].output.shape[0]) for item in items]

    monkeypatch.setattr(verify, "measure_networks", networks)
    monkeypatch.setattr(verify, "measure_file", lambda path, on: document(_ms_of(path)))
    monkeypatch.setattr(verify, "block_shares", lambda network, on: [])
    return state


def _ms_of(path):
    from hwnas.network.from_onnx import from_onnx

    return 10.0 * from_onnx(path).layers[0].output.shape[0]


# --- what the search compares


def test_bounds_are_compared_and_predictions_kept(tmp_path):
    found = run(tmp_path)
    feasible = [trial for trial in found.record.trials if trial.status == "complete"]
    assert {trial.metrics["predicted_latency_ms"] for trial in feasible} == {10.0, 20.0, 30.0}
    for trial in found.record.trials:
        assert trial.metrics["latency_ms"] == pytest.approx(1.2 * trial.metrics["predicted_latency_ms"])
        assert (trial.metrics["latency_ms"] <= 44) == (trial.status == "complete")
    winner = found.record.candidates[0]
    assert winner.predicted["latency_ms"] == 30 and "predicted_latency_ms" not in winner.predicted
    assert winner.intervals == {"latency_ms": Interval(0.9, 21, 39, pytest.approx(36))}
    assert winner.satisfies and winner.within("latency_ms") is None
    assert search.load(tmp_path).record.candidates == found.record.candidates


@pytest.mark.parametrize(
    "changes", [{"confidence": None}, {"confidence": 0.5}, {"predictor": Uncalibrated()}]
)
def test_without_a_bound_the_prediction_is_compared(tmp_path, changes):
    said = []
    found = run(tmp_path, events=search.Events(step=said.append), **changes)
    assert max(t.metrics["latency_ms"] for t in found.record.trials if t.status == "complete") == 40
    assert found.record.candidates[0].intervals == {}
    assert any("no intervals" in line for line in said) == ("predictor" in changes)


def test_more_confidence_is_a_tighter_search(tmp_path):
    slower = [
        max(t.metrics["predicted_latency_ms"] for t in run(tmp_path / str(c), confidence=c).record.trials
            if t.status == "complete")
        for c in (0.6, 0.95)
    ]  # fmt: skip
    assert slower == [40, 30]


@pytest.mark.parametrize("confidence", [0.4, 1.0, 90])
def test_a_confidence_is_a_probability(tmp_path, confidence):
    with pytest.raises(ValueError, match=r"confidence must be at least 0\.5 and below 1"):
        run(tmp_path / "run", confidence=confidence)
    assert not (tmp_path / "run").exists()


def test_another_confidence_needs_another_folder(tmp_path):
    run(tmp_path)
    with pytest.raises(ValueError, match="confidence"):
        run(tmp_path, confidence=0.8)


def test_an_uncalibrated_predictor_is_one_metric():
    predictor = Uncalibrated()
    assert predicted_metrics("latency_ms", predictor, 0.9) == [PredictedMetric("latency_ms", predictor)]


# --- what the verification measures


def on():
    return device("ort-cpu", threads=1)


def test_measured_within_the_interval(tmp_path, machine):
    machine.slower = 1.1
    found = run(tmp_path, device=on())
    winner = found.record.candidates[0]
    assert winner.measured["latency_ms"] == pytest.approx(33) and winner.within("latency_ms") is True
    assert winner.flag == "" and winner.as_measured_ms == pytest.approx(33)
    assert coverage_sentence(found.record.candidates).startswith(
        "3 of 3 measured latencies lie in their 90 %"
    )
    assert drift_warning(found.record.candidates) == ""


def test_a_slower_machine_is_told_from_slower_networks(tmp_path, machine):
    machine.slower = machine.sentinels = 1.5
    found = run(tmp_path, device=on())
    winner = found.record.candidates[0]
    assert winner.satisfies and winner.flag == "rescaled"
    assert winner.measured["latency_ms"] == pytest.approx(30) and winner.as_measured_ms == pytest.approx(45)
    said = drift_warning(found.record.candidates)
    assert "50.0% slower" in said and "rescaled" in said


def test_slower_networks_are_no_answer(tmp_path, machine):
    machine.slower = 1.5
    found = run(tmp_path, device=on(), budget=20)
    fitting = [c for c in found.record.candidates if c.satisfies]
    assert all(c.measured["latency_ms"] <= 44 for c in fitting)
    rejected = [c for c in found.record.candidates if not c.satisfies]
    assert rejected and all(c.measured["latency_ms"] > 44 for c in rejected)
    assert all(c.within("latency_ms") is False for c in found.record.candidates)


def test_a_disturbed_machine_is_said(tmp_path, machine, monkeypatch):
    monkeypatch.setattr(Calibrated, "card", SimpleNamespace(
        kind="toy", table_id="0" * 64, sentinels={"dense": 300.0, "depthwise": 250.0}
    ))  # fmt: skip
    found = run(tmp_path, device=on())
    assert {candidate.flag for candidate in found.record.candidates} == {"drifted"}
    assert "contradict" in drift_warning(found.record.candidates)


def test_what_was_measured_is_not_measured_again(tmp_path, machine):
    first = run(tmp_path, device=on())
    calls = machine.calls
    assert run(tmp_path, device=on()).record.candidates == first.record.candidates
    assert machine.calls == calls


@pytest.mark.parametrize(
    "document, reference, expected",
    [
        ({"latency_ms": 4.0, "sentinels": {"a": 200.0}}, {"a": 100.0}, Measured(2.0, 4.0, "rescaled")),
        ({"latency_ms": 4.0, "sentinels": {"a": 100.5}}, {"a": 100.0}, Measured(4.0, 4.0)),
        ({"latency_ms": 4.0}, {"a": 100.0}, Measured(4.0, 4.0)),
        ({"latency_ms": 4.0, "sentinels": {"a": 200.0}}, {}, Measured(4.0, 4.0)),
        (
            {"latency_ms": 4.0, "sentinels": {"a": 200.0, "b": 100.0}},
            {"a": 100.0, "b": 100.0},
            Measured(4.0, 4.0, "drifted"),
        ),
    ],
)
def test_scales(document, reference, expected):
    assert read_measured(document, reference) == expected


def test_nothing_known_is_nothing_said():
    assert coverage_sentence([Candidate("a", {}, {}, True)]) == drift_warning([]) == ""
