"""Successive halving and Hyperband: rungs, who goes on, and what is never compared."""

from collections import deque
from dataclasses import dataclass

import pytest

from hwnas.objectives import Objective
from hwnas.search import run
from hwnas.search.fidelity import at_fidelity, split
from hwnas.search.spending import full_trainings
from hwnas.search.strategies.hyperband import Hyperband
from hwnas.search.strategies.successive_halving import SuccessiveHalving
from tests.search.strategies.told import searched
from tests.search.toy import Toy

OBJECTIVE = Objective("value")


@dataclass(frozen=True)
class Partial:
    """The sum of an architecture's choices, to which a short training adds less."""

    name: str = "value"
    share: float = 1.0
    unit: str = ""
    higher_is_better: bool = True
    expensive: bool = True

    def __call__(self, architecture):
        return self.share * sum(architecture.encoding)

    def at_fidelity(self, fidelity):
        return Partial(share=fidelity)


@dataclass(frozen=True)
class Whole:
    """As `Partial`, but only after the full training."""

    name: str = "value"
    unit: str = ""
    higher_is_better: bool = True
    expensive: bool = True

    def __call__(self, architecture):
        return float(sum(architecture.encoding))


def test_rungs_of_successive_halving_and_of_hyperband():
    halving = SuccessiveHalving(Toy(), OBJECTIVE, networks=27, eta=3, rungs=3)
    assert [(r.networks, round(r.fidelity, 3)) for r in halving.bracket(0)] == [
        (27, 0.111),
        (9, 0.333),
        (3, 1.0),
    ]
    hyperband = Hyperband(Toy(), OBJECTIVE, eta=3, rungs=3)
    assert [[rung.networks for rung in hyperband.bracket(s)] for s in range(4)] == [
        [9, 3, 1],
        [5, 1],
        [3],
        [9, 3, 1],
    ]


def test_only_the_best_of_a_rung_are_trained_further():
    strategy = SuccessiveHalving(Toy(), OBJECTIVE, networks=9, eta=3, rungs=3, seed=2)
    rungs = []
    for networks in (9, 3, 1):
        asked = [strategy.ask() for _ in range(networks)]
        assert networks == 1 or strategy.ask() is None
        for proposal in asked:
            strategy.tell(proposal, {proposal.maximize: float(sum(proposal.architecture.encoding))})
        rungs.append([proposal.architecture for proposal in asked])
    by_value = sorted(rungs[0], key=lambda one: sum(one.encoding), reverse=True)
    assert sum(sum(one.encoding) for one in rungs[1]) == sum(sum(one.encoding) for one in by_value[:3])
    assert sum(rungs[2][0].encoding) == sum(by_value[0].encoding)


def test_nothing_is_trained_twice_for_as_long_and_the_next_bracket_does_not_wait_for_full_trainings():
    strategy = Hyperband(Toy(), OBJECTIVE, eta=3, rungs=2, seed=0)
    waiting, trained, waits = deque(), {}, []
    for _ in range(60):
        while len(waiting) < 8 and (proposal := strategy.ask()) is not None:
            assert trained.get(proposal.architecture, 0) < proposal.fidelity
            trained[proposal.architecture] = proposal.fidelity
            waiting.append(proposal)
        waits.append({one.fidelity for one in waiting} if len(waiting) < 8 else set())
        proposal = waiting.popleft()
        strategy.tell(proposal, {proposal.maximize: float(sum(proposal.architecture.encoding))})
    assert {1.0} not in waits and any(waits)


def test_ends_where_everything_is_trained():
    class Tiny(Toy):
        decisions = {f"d{i}": tuple(range(2)) for i in range(3)}

    done = searched(Hyperband(Tiny(), OBJECTIVE, eta=2, rungs=2, seed=0), trials=100, ahead=4)
    assert len(done) < 100
    assert len({proposal.architecture for proposal, _ in done}) == 8


def test_the_answer_is_a_fully_trained_one_and_the_record_says_what_it_cost(tmp_path):
    found = run(
        Toy(),
        maximize="value",
        metrics={"value": Partial()},
        strategy="successive_halving",
        strategy_settings={"networks": 9, "eta": 3, "rungs": 2},
        budget=6,
        candidates=1,
        folder=tmp_path / "run",
    )
    trials = found.record.trials[:12]
    assert [round(trial.fidelity, 3) for trial in trials] == [0.333] * 9 + [1.0] * 3
    full = [trial.metrics["value"] for trial in trials if "value" in trial.metrics]
    assert len(full) == 3 and found.best().metrics["value"] == max(full)
    assert full_trainings(trials, "value") == pytest.approx(9 / 3 + 3)


def test_a_metric_without_parts_is_refused(tmp_path):
    with pytest.raises(ValueError, match="cannot be evaluated after a part of the training"):
        run(Toy(), maximize="value", metrics={"value": Whole()}, strategy="hyperband", budget=40,
            candidates=1, folder=tmp_path / "run")  # fmt: skip


def test_names_at_a_fidelity_are_read_back():
    assert split(at_fidelity("accuracy", 1 / 3)) == ("accuracy", pytest.approx(1 / 3, abs=1e-5))
    assert at_fidelity("accuracy", 1.0) == "accuracy" and split("accuracy") == ("accuracy", 1.0)
    with pytest.raises(ValueError, match="above 0"):
        at_fidelity("accuracy", 0.0)


@pytest.mark.parametrize("settings", [{"eta": 1}, {"rungs": 0}, {"networks": 3, "rungs": 3}])
def test_settings_that_do_not_fit(settings):
    with pytest.raises(ValueError, match=next(iter(settings))):
        SuccessiveHalving(Toy(), OBJECTIVE, **settings)


def test_brackets_of_the_papers_example():
    """Li et al. (2018), Table 1: R = 81, η = 3."""
    hyperband = Hyperband(Toy(), OBJECTIVE, eta=3, rungs=5)
    first = [hyperband.bracket(number)[0] for number in range(5)]
    assert [rung.networks for rung in first] == [81, 34, 15, 8, 5]
    assert [81 * rung.fidelity for rung in first] == pytest.approx([1, 3, 9, 27, 81])


@pytest.mark.parametrize(("strategy", "least"), [("successive_halving", 7), ("hyperband", 3), ("bohb", 3)])
def test_a_budget_that_is_spent_on_parts_is_refused(tmp_path, strategy, least):
    settings = {"maximize": "value", "metrics": {"value": Partial()}, "strategy": strategy}
    with pytest.raises(ValueError, match=f"needs a budget of at least {least}"):
        run(Toy(), folder=tmp_path / "few", budget=least - 1, **settings)
    trials = run(Toy(), folder=tmp_path / "enough", budget=least, **settings).record.trials
    assert any("value" in trial.metrics for trial in trials)
    assert full_trainings(trials, "value") <= least + 1e-3
