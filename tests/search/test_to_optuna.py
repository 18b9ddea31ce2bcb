"""A run as an Optuna study, in a real storage."""

import pytest

from hwnas import search
from hwnas.search import CorruptRunError
from hwnas.search.to_optuna import export_study
from hwnas.spaces import NASBench201
from tests.search.toy import Cost, Toy, Value

optuna = pytest.importorskip("optuna", reason="optuna is not installed")
State = optuna.trial.TrialState


def run(folder, budget=30, **changes):
    settings = {
        "maximize": "value",
        "subject_to": ["cost <= 10"],
        "metrics": {"value": Value(undefined_at=9), "cost": Cost()},
        "strategy": "random",
        "seed": 3,
        "budget": budget,
        "folder": folder,
        **changes,
    }
    return search.run(settings.pop("space", Toy()), **settings)


@pytest.fixture
def storage(tmp_path):
    return f"sqlite:///{tmp_path / 'study.db'}"


def test_each_trial_with_its_state_value_and_constraints(tmp_path, storage):
    trials = run(tmp_path / "mine").record.trials
    export_study(tmp_path / "mine", storage, space=Toy())
    study = optuna.load_study(study_name="mine", storage=storage)
    assert study.direction.name == "MAXIMIZE"
    states = {"complete": State.COMPLETE, "infeasible": State.PRUNED, "failed": State.FAIL}
    assert {one.status for one in trials} == set(states)
    for trial, frozen in zip(trials, study.trials, strict=True):
        assert frozen.state == states[trial.status] and frozen.number == trial.number
        assert frozen.value == (trial.metrics["value"] if trial.status == "complete" else None)
        assert frozen.user_attrs["architecture"] == trial.architecture
        assert frozen.user_attrs["cost"] == trial.metrics["cost"]
        assert list(frozen.constraints.values()) == [pytest.approx(trial.metrics["cost"] / 10 - 1)]
        assert Toy().suggest(optuna.trial.FixedTrial(frozen.params)) == Toy().parse(trial.architecture)
        assert frozen.duration.total_seconds() == pytest.approx(trial.seconds, abs=1e-5)
    assert study.best_value == max(one.metrics["value"] for one in trials if one.status == "complete")


def test_a_value_over_a_bound_is_known_and_is_not_the_best(tmp_path, storage):
    soft = {"strategy": "reinforce", "strategy_settings": {"reward": "absolute", "score": "rank"}}
    trials = run(tmp_path / "mine", metrics={"value": Value(), "cost": Cost()}, **soft).record.trials
    over = [one for one in trials if one.status == "infeasible"]
    study = export_study(tmp_path / "mine", storage, space=Toy())
    assert {one.state for one in study.trials} == {State.COMPLETE} and over
    assert [one.value for one in study.trials] == [one.metrics["value"] for one in trials]
    assert all(max(study.trials[one.number].constraints.values()) > 0 for one in over)
    best = max(one.metrics["value"] for one in trials if one.status == "complete")
    assert study.best_value == best < max(one.metrics["value"] for one in over)


def test_exporting_again_adds_what_is_new(tmp_path, storage):
    folder = tmp_path / "mine"
    before = len(run(folder, budget=12).record.trials)
    assert len(export_study(folder, storage, space=Toy()).trials) == before
    assert len(export_study(folder, storage, space=Toy()).trials) == before
    after = len(run(folder, budget=20).record.trials)
    study = export_study(folder, storage, space=Toy())
    assert [one.number for one in study.trials] == list(range(after)) and after > before


def test_what_a_proxy_scored_has_no_value(tmp_path, storage):
    run(
        tmp_path / "mine",
        metrics={"value": Value(), "cost": Cost(), "proxy": Value(name="proxy", expensive=False)},
        strategy="random_warm_up",
        strategy_settings={"warm_up": 10, "warm_up_by": "proxy"},
    )
    study = export_study(tmp_path / "mine", storage, space=Toy())
    assert {one.state for one in study.trials[:10]} == {State.PRUNED}
    assert all("proxy" in one.user_attrs for one in study.trials[:10])
    assert State.COMPLETE in {one.state for one in study.trials[10:]}


def test_a_space_of_ours_is_read_from_the_run(tmp_path, storage):
    run(tmp_path / "cells", space=NASBench201(), maximize="params", subject_to=[], metrics={}, budget=3)
    study = export_study(tmp_path / "cells", storage)
    assert list(study.trials[0].params) == list(NASBench201().decisions)
    assert study.best_value == max(one.value for one in study.trials)


def test_a_run_that_was_interrupted(tmp_path, storage):
    folder = tmp_path / "mine"
    trials = run(folder, budget=12).record.trials
    (folder / "outcome.json").unlink()
    assert len(export_study(folder, storage, space=Toy()).trials) == len(trials)


def test_what_is_refused(tmp_path, storage):
    run(tmp_path / "mine", budget=5)
    with pytest.raises(ValueError, match="is not one of hwnas's own"):
        export_study(tmp_path / "mine", storage)
    with pytest.raises(ValueError, match="storage 'nonsense' cannot be used"):
        export_study(tmp_path / "mine", "nonsense", space=Toy())
    with pytest.raises(CorruptRunError):
        export_study(tmp_path / "nothing", storage, space=Toy())
    export_study(tmp_path / "mine", storage, space=Toy())
    other = tmp_path / "other" / "mine"
    run(other, budget=5, seed=11)
    with pytest.raises(ValueError, match="has another study called mine"):
        export_study(other, storage, space=Toy())
