"""Budgets that hold: upper bounds in the search, intervals and sentinels in the verification."""

from collections import Counter

import pytest

from hwnas import search
from hwnas.report.intervals import coverage_sentence, drift_warning
from hwnas.search import verify
from hwnas.search.measured import Measured, read_measured
from hwnas.search.metrics import PredictedMetric, predicted_metrics
from hwnas.search.records import Candidate, Interval
from tests.search.calibrated import SENTINELS, Calibrated, on, run


class Uncalibrated(Calibrated):
    is_calibrated = False


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


def test_measured_within_the_interval(tmp_path, machine):
    machine.slower = 1.12
    found = run(tmp_path, device=on())
    winner = found.record.candidates[0]
    assert winner.measured["latency_ms"] == pytest.approx(33.6) and winner.within("latency_ms") is True
    assert winner.flag == "" and winner.as_measured_ms == pytest.approx(33.6)
    assert coverage_sentence(found.record.candidates).startswith(
        "4 of 4 measured latencies lie in their 90 %"
    )
    assert drift_warning(found.record.candidates) == ""


def test_of_a_slower_machine_both_latencies_keep_the_budget(tmp_path, machine):
    machine.slower = machine.sentinels = 1.5
    found = run(tmp_path, device=on())
    candidates = {round(c.measured["latency_ms"]): c for c in found.record.candidates}
    assert {candidate.flag for candidate in candidates.values()} == {"rescaled"}
    assert {ms: c.satisfies for ms, c in candidates.items()} == {10: True, 20: True, 30: False, 40: False}
    assert candidates[30].as_measured_ms == pytest.approx(45)
    said = drift_warning(found.record.candidates)
    assert "50.0% slower" in said and "rescaled" in said and "before rescaling" in said


def test_of_a_faster_machine_both_latencies_keep_the_budget(tmp_path, machine):
    machine.slower, machine.sentinels = 1.0, 0.8
    candidates = {c.as_measured_ms: c for c in run(tmp_path, device=on()).record.candidates}
    assert candidates[40].measured["latency_ms"] == pytest.approx(50) and not candidates[40].satisfies
    assert candidates[30].measured["latency_ms"] == pytest.approx(37.5) and candidates[30].satisfies


def test_slower_networks_are_no_answer(tmp_path, machine):
    machine.slower = 1.5
    found = run(tmp_path, device=on(), budget=20)
    fitting = [c for c in found.record.candidates if c.satisfies]
    assert all(c.measured["latency_ms"] <= 44 for c in fitting)
    rejected = [c for c in found.record.candidates if not c.satisfies]
    assert rejected and all(c.measured["latency_ms"] > 44 for c in rejected)
    assert all(c.within("latency_ms") is False for c in found.record.candidates)


def test_a_disturbed_measurement_is_repeated_once(tmp_path, machine):
    machine.disturbed = 1
    found = run(tmp_path, device=on())
    assert machine.networks[0] == machine.networks[1]
    assert {candidate.flag for candidate in found.record.candidates} == {""}
    assert found.record.winner == 0


def test_what_is_disturbed_twice_counts_by_its_least_favourable_reading(tmp_path, machine):
    """One sentinel says that the table's machine was 1.25 times as slow, the other that it was the same."""
    machine.disturbed = 10**9
    found = run(tmp_path, device=on())
    candidates = {c.measured["latency_ms"]: c for c in found.record.candidates}
    assert {ms: c.satisfies for ms, c in candidates.items()} == {10: True, 20: True, 30: True, 40: False}
    assert candidates[40].at_most_ms == 50 and "sentinels contradict" in candidates[40].reason
    assert candidates[30].at_most_ms == 37.5 and candidates[30].reason == ""
    assert {candidate.flag for candidate in candidates.values()} == {"drifted"}
    assert "contradict" in drift_warning(found.record.candidates)
    slow = candidates[40].architecture
    assert sum(slow in batch for batch in machine.networks) == 2
    machine.disturbed = 0
    again = {c.architecture: c for c in run(tmp_path, device=on()).record.candidates}
    assert again[slow].satisfies and again[slow].flag == ""


def test_a_file_that_is_disturbed_twice_counts_likewise(tmp_path, machine, monkeypatch):
    def disturbed(path, on):
        machine.files.append(path)
        return {"latency_ms": 36.0, "sentinels": {**SENTINELS, "dense": 0.8 * SENTINELS["dense"]}}

    monkeypatch.setattr(verify, "measure_file", disturbed)
    found = run(tmp_path, device=on())
    assert found.record.winner is None
    assert machine.files and set(Counter(machine.files).values()) == {2}
    assert all("contradict" in c.reason for c in found.record.candidates if c.onnx)


def test_without_a_bound_on_the_latency_a_disturbed_measurement_rejects_nothing(tmp_path, machine):
    machine.disturbed = 10**9
    found = run(tmp_path, device=on(), subject_to=["params <= 1M"])
    assert found.record.winner == 0 and found.record.candidates[0].flag == "drifted"


def test_the_first_candidates_are_measured_together(tmp_path, machine):
    run(tmp_path, device=on())
    assert len(machine.networks[0]) == 3 // 3 + 1


def test_a_network_is_returned_once_and_measured_once(tmp_path, machine):
    """Toy's networks differ by their first decision alone."""
    machine.slower = 1.5
    found = run(tmp_path, device=on(), candidates=4)
    first = [candidate.architecture.split(",")[0] for candidate in found.record.candidates]
    assert len(set(first)) == len(first)
    measured = [text.split(",")[0] for batch in machine.networks for text in batch]
    assert len(set(measured)) == len(measured)


def test_what_was_measured_is_not_measured_again(tmp_path, machine):
    first = run(tmp_path, device=on())
    calls = len(machine.networks), len(machine.files)
    assert run(tmp_path, device=on()).record.candidates == first.record.candidates
    assert (len(machine.networks), len(machine.files)) == calls


@pytest.mark.parametrize(
    "document, reference, expected",
    [
        ({"latency_ms": 4.0, "sentinels": {"a": 200.0}}, {"a": 100.0}, Measured(2.0, 4.0, "rescaled", 4.0)),
        ({"latency_ms": 4.0, "sentinels": {"a": 100.5}}, {"a": 100.0}, Measured(4.0, 4.0, "", 4.0)),
        ({"latency_ms": 4.0}, {"a": 100.0}, Measured(4.0, 4.0, "", 4.0)),
        ({"latency_ms": 4.0, "sentinels": {"a": 200.0}}, {}, Measured(4.0, 4.0, "", 4.0)),
        (
            {"latency_ms": 4.0, "sentinels": {"a": 200.0, "b": 100.0}},
            {"a": 100.0, "b": 100.0},
            Measured(4.0, 4.0, "drifted", 4.0),
        ),
        ({"latency_ms": 4.0, "sentinels": {"a": 50.0}}, {"a": 100.0}, Measured(8.0, 4.0, "rescaled", 8.0)),
        ({"latency_ms": 4.0, "sentinels": {}, "drifted": True}, {}, Measured(4.0, 4.0, "drifted", 4.0)),
        (
            {"latency_ms": 4.0, "sentinels": {"a": 80.0, "b": 100.0}},
            {"a": 100.0, "b": 100.0},
            Measured(4.0, 4.0, "drifted", 5.0),
        ),
        (
            {"latency_ms": 4.0, "sentinels": {"a": 100.0}, "drifted": True},
            {"a": 100.0},
            Measured(4.0, 4.0, "drifted", 4.0),
        ),
    ],
)
def test_scales(document, reference, expected):
    assert read_measured(document, reference) == expected


def test_nothing_known_is_nothing_said():
    assert coverage_sentence([Candidate("a", {}, {}, True)]) == drift_warning([]) == ""
