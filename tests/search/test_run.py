import json
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from hwnas import search
from hwnas.latency import QUICK, device
from hwnas.network.from_onnx import from_onnx
from hwnas.objectives import MetricError
from hwnas.search.folder import locked
from hwnas.search.spending import full_trainings
from hwnas.spaces import MobileNetV2, NASBench201
from hwnas.training import TrainingSettings, load
from tests.search.toy import Cost, Slow, Toy, Value

ROOT = Path(__file__).resolve().parents[2]
METRICS = {"value": Value(), "cost": Cost()}
TOY = {
    "space": Toy(),
    "maximize": "value",
    "subject_to": ["cost <= 10"],
    "metrics": METRICS,
    "strategy_settings": {"population": 10, "tournament": 4},
    "budget": 60,
}


def run(folder, **changes):
    settings = {**TOY, **changes}
    return search.run(settings.pop("space"), folder=folder, **settings)


def essence(run):
    return [(t.architecture, t.status, dict(t.metrics)) for t in run.record.trials]


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


def test_repeating_changes_nothing(tmp_path):
    first = run(tmp_path / "run")
    again = run(tmp_path / "run")
    assert essence(again) == essence(first)
    assert again.best().architecture == first.best().architecture


def test_a_larger_budget_goes_on(tmp_path):
    first = run(tmp_path / "run", budget=30)
    more = run(tmp_path / "run", budget=60)
    assert essence(more)[: len(first.record.trials)] == essence(first)
    assert essence(more) == essence(run(tmp_path / "other"))


@pytest.mark.parametrize("moment", [0.0, 0.15, 0.4, 0.8])
def test_killed_and_resumed_equals_uninterrupted(tmp_path, moment):
    script = (
        "from hwnas import search; from tests.search.toy import *\n"
        "search.run(Toy(), maximize='value', subject_to=['cost <= 10'], budget=60, folder=%r,\n"
        "    metrics={'value': Slow(), 'cost': Cost()}, strategy_settings={'population': 10, 'tournament': 4})"
    )
    folder = tmp_path / "killed"
    process = subprocess.Popen([sys.executable, "-c", script % str(folder)], cwd=ROOT)
    while not (folder / "trials.sqlite").exists():
        time.sleep(0.005)
    time.sleep(moment)
    process.send_signal(signal.SIGKILL)
    process.wait()
    metrics = {"value": Slow(), "cost": Cost()}
    resumed = run(folder, metrics=metrics)
    assert essence(resumed) == essence(run(tmp_path / "whole", metrics=metrics))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"maximize": "valu"}, "unknown metric 'valu'"),
        ({"subject_to": ["cost < 10"]}, "only upper bounds"),
        ({"subject_to": ["cost >= 10"]}, "only upper bounds"),
        ({"metrics": {**METRICS, "speed": 3}}, "'speed' must be a predictor"),
        ({"subject_to": ["latency_ms <= 5"]}, "needs a predictor"),
        ({"subject_to": ["nonsense"]}, "nonsense"),
        ({"strategy": "evolutoin"}, "unknown strategy"),
        ({"strategy_settings": {"size": 3}}, "strategy evolution"),
        ({"strategy_settings": {"population": 1}}, "population"),
        ({"budget": 0}, "budget"),
        ({"candidates": 0}, "candidates"),
        ({"ahead": 0}, "ahead must be a whole number from 1"),
        ({"strategy": "nsga2", "strategy_settings": {"costs": ["naswot"]}}, "of naswot more is better"),
    ],
)
def test_wrong_settings_leave_nothing_behind(tmp_path, changes, says):
    with pytest.raises(ValueError, match=says):
        run(tmp_path / "run", **changes)
    assert not (tmp_path / "run").exists()


def test_a_bound_that_nothing_meets_names_the_nearest(tmp_path):
    with pytest.raises(search.NothingFeasibleError) as caught:
        run(tmp_path / "run", subject_to=["cost <= 0.5"])
    trials = search.load(tmp_path / "run").record.trials
    nearest = min(trials, key=lambda trial: trial.metrics["cost"])
    assert str(caught.value) == (
        f"none of {len(trials)} trials satisfies cost <= 0.5; the nearest, {nearest.architecture}, has "
        f"cost {nearest.metrics['cost']:g} ({100 * (nearest.metrics['cost'] / 0.5 - 1):,.1f} % too much)"
    )


def test_a_run_that_found_nothing_says_so_again(tmp_path):
    bound = {"maximize": "macs", "metrics": {}, "runtime": "tinyengine", "budget": 3, "strategy": "random"}
    space = MobileNetV2(resolution=32, classes=10, width=0.25)
    with pytest.raises(search.NothingFeasibleError) as caught:
        run(
            tmp_path / "run",
            space=space,
            subject_to=["peak_sram_bytes <= 1kB"],
            strategy_settings={},
            **bound,
        )
    with pytest.raises(search.NothingFeasibleError) as again:
        search.load(tmp_path / "run").best()
    facts = str(caught.value).partition("; the nearest, ")[2]
    assert "has peak_sram_bytes " in facts and " kB (" in facts
    assert str(again.value) == f"no architecture satisfies peak_sram_bytes <= 1.0 kB; the nearest, {facts}"


def test_a_run_that_was_interrupted_is_not_called_infeasible(tmp_path):
    run(tmp_path / "run")
    (tmp_path / "run" / "outcome.json").unlink()
    with pytest.raises(
        search.NothingFeasibleError, match="run has no verified network yet; repeat its search"
    ):
        search.load(tmp_path / "run").best()


def test_a_metric_that_is_undefined_everywhere_is_named_with_its_reason(tmp_path):
    lacking = {
        "metrics": {},
        "maximize": "macs",
        "runtime": "tinyengine",
        "budget": 12,
        "space": NASBench201(),
    }
    for folder, bounds in (
        ("a", ["peak_sram_bytes <= 320kB"]),
        ("b", ["params <= 1", "peak_sram_bytes <= 9kB"]),
    ):
        with pytest.raises(search.NothingFeasibleError) as caught:
            run(tmp_path / folder, subject_to=bounds, **lacking)
        told = str(caught.value)
        assert "peak_sram_bytes is defined for none of them" in told and "operator" in told
        with pytest.raises(
            search.NothingFeasibleError, match=r"no architecture satisfies .* kB.*[:;] .*has "
        ):
            search.load(tmp_path / folder).best()
        assert ("the nearest, |" in told) == (folder == "b")
    assert "params" in told.partition("the nearest")[2]


def test_a_maximised_metric_that_is_undefined_where_the_constraints_hold(tmp_path):
    with pytest.raises(
        search.NothingFeasibleError, match=r"value is defined for none of .* that satisfy cost <= 1.*: bad"
    ):
        run(tmp_path / "run", metrics={"value": Undefined(), "cost": Cost()}, subject_to=["cost <= 17"])
    with pytest.raises(
        search.NothingFeasibleError, match=r"none of (\d+) trials satisfies value <= 3.*for \1 of them: bad"
    ):
        run(
            tmp_path / "other",
            metrics={"value": Undefined(), "cost": Cost(higher_is_better=True)},
            maximize="cost",
            subject_to=["value <= 3"],
        )


def test_a_metric_of_which_less_is_better_is_not_maximised(tmp_path):
    with pytest.raises(
        ValueError, match="less is better of cost, so it cannot be maximised; bound it: 'cost <="
    ):
        run(tmp_path / "run", maximize="cost", subject_to=[])
    assert not (tmp_path / "run").exists()


class Undefined(Value):
    def __call__(self, architecture):
        raise MetricError("bad")


def test_other_settings_need_another_folder(tmp_path):
    run(tmp_path / "run")
    with pytest.raises(ValueError, match=r"\(seed was 0, now 1\)"):
        run(tmp_path / "run", seed=1)
    with pytest.raises(ValueError, match=r"\(constraints.cost was 10.0, now 9.0\)"):
        run(tmp_path / "run", subject_to=["cost <= 9"])
    with pytest.raises(ValueError, match=r"\(constraints.cost is left out\)"):
        run(tmp_path / "run", subject_to=[])


def test_a_strategys_options_are_its_own(tmp_path):
    with pytest.raises(ValueError, match=r"tournament is a setting of .*evolution.*, not of genetic"):
        run(tmp_path / "run", strategy="genetic", strategy_settings={"tournament": 4})
    with pytest.raises(ValueError, match=r"population is a setting of .*evolution.*genetic.*, not of random"):
        run(tmp_path / "run", strategy="random", strategy_settings={"population": 4})


def test_one_search_at_a_time_in_a_folder(tmp_path):
    with locked(tmp_path / "run"), pytest.raises(ValueError, match="another search is running"):
        run(tmp_path / "run")


def _truncate(path, size):
    path.write_bytes(path.read_bytes()[:size])


@pytest.mark.parametrize(
    ("file", "damage"),
    [
        ("config.json", lambda p: _truncate(p, 20)),
        ("config.json", lambda p: p.write_text("[]")),
        ("config.json", lambda p: p.unlink()),
        ("trials.sqlite", lambda p: p.write_bytes(b"not a database" * 500)),
        ("trials.sqlite", lambda p: _truncate(p, 5000)),
        ("trials.sqlite", lambda p: _execute(p, "DELETE FROM trials WHERE number = 7")),
        ("trials.sqlite", lambda p: _execute(p, "UPDATE trials SET metrics = 'x' WHERE number = 7")),
        ("trials.sqlite", lambda p: _execute(p, "UPDATE trials SET encoding = '[0]' WHERE number = 7")),
        ("trials.sqlite", lambda p: _execute(p, "UPDATE trials SET architecture = 'x' WHERE number = 7")),
        ("trials.sqlite", lambda p: _execute(p, "PRAGMA user_version = 99")),
    ],
)
def test_a_damaged_folder_is_refused(tmp_path, file, damage):
    run(tmp_path / "run")
    for extra in ("trials.sqlite-wal", "trials.sqlite-shm"):
        assert not (tmp_path / "run" / extra).exists()
    damage(tmp_path / "run" / file)
    with pytest.raises(search.CorruptRunError):
        run(tmp_path / "run")


def _execute(path, statement):
    connection = sqlite3.connect(path)
    connection.execute(statement)
    connection.commit()
    connection.close()


def test_no_folder_of_a_run(tmp_path):
    with pytest.raises(search.CorruptRunError, match="no run folder"):
        search.load(tmp_path)


def _limit_file_size():
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))


def test_a_full_disk_is_said_and_the_run_goes_on_later(tmp_path):
    """A limit on file sizes stands in for the end of the disk: writes fail part-way."""
    script = (
        "from hwnas import search; from tests.search.toy import *\n"
        "try:\n"
        "    search.run(Toy(), maximize='value', subject_to=['cost <= 10'], budget=2000, folder=%r,\n"
        "        metrics={'value': Value(), 'cost': Cost()}, strategy='random')\n"
        "except OSError as error:\n"
        "    print(error); raise SystemExit(2)"
    )
    folder = tmp_path / "run"
    done = subprocess.run(
        [sys.executable, "-c", script % str(folder)],
        cwd=ROOT,
        preexec_fn=_limit_file_size,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    assert str(folder) in done.stdout
    resumed = run(folder, strategy="random", strategy_settings={}, budget=2000)
    whole = run(tmp_path / "whole", strategy="random", strategy_settings={}, budget=2000)
    assert essence(resumed) == essence(whole)


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
        "metrics": {"latency_ms": _Guess()},
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
        metrics={"latency_ms": _Guess(0.0005)},
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


def test_a_predictor_of_another_device_is_refused(tmp_path):
    class Foreign(_Guess):
        def check_device(self, identity):
            raise ValueError(f"not of {identity.device.model}")

    with pytest.raises(ValueError, match="not of"):
        run(tmp_path, metrics={**METRICS, "latency_ms": Foreign()}, device=device("ort-cpu", threads=1))


def test_a_smaller_budget_shows_fewer_trials(tmp_path):
    def evaluated(**changes):
        return full_trainings(run(tmp_path / "run", **changes).record.trials, "value")

    assert evaluated() == 60
    assert evaluated(budget=20) == 20
    assert evaluated() == 60


def test_a_warm_up_does_not_count_to_the_budget(tmp_path):
    settings = {"population": 10, "tournament": 4, "warm_up": 60, "warm_up_by": "params"}
    trials = run(tmp_path / "run", strategy_settings=settings, budget=20).record.trials
    assert sum("value" in trial.metrics for trial in trials) >= 20 == full_trainings(trials, "value")


def test_a_search_that_ends_before_its_budget_says_so(tmp_path):
    said = []
    run(tmp_path / "run", subject_to=["cost <= 1"], events=search.Events(step=said.append))
    assert any("1 of 60 networks" in line and "nothing new" in line for line in said)


class _Guess:
    """A predictor that says the same of every network."""

    def __init__(self, latency_ms=1.0):
        self.latency_ms = latency_ms

    def predict(self, networks):
        return [self.latency_ms] * len(networks)

    def __str__(self):
        return f"guess {self.latency_ms}"
