import statistics
from dataclasses import dataclass

import pytest

from hwnas.objectives import Constraint, Objective, Reward
from hwnas.objectives.rewards import Hard, Lagrangian, Soft
from hwnas.search import run
from hwnas.search.screen import Screen
from hwnas.search.strategies import PPO, Reinforce
from hwnas.search.strategies.policy.rewarded import Rewarded
from tests.search.strategies.policy.spaces import ACCURACY, ANSWER, Small, likeness, searched
from tests.search.toy import Cost, Toy, Value

LATENCY = Constraint("latency_ms", 4.0)
BOUNDED = Objective("accuracy", (LATENCY,))


def slower_is_better(architecture):
    """Accuracy and latency rise together: the best within the bound takes 4 ms."""
    total = sum(architecture.encoding)
    return {"accuracy": 0.3 + 0.05 * total, "latency_ms": 1.0 + total}


def mean_of_last(done, name, n=500):
    return statistics.mean(metrics[name] for _, metrics in done[-n:])


@pytest.mark.parametrize("reward", ["hard", "mnasnet_hard", "absolute:beta=-1", "chamnet"])
def test_the_policy_learns_the_bound(reward):
    done = searched(Reinforce(Small(), BOUNDED, reward=reward), slower_is_better, steps=3000)
    assert 3.3 < mean_of_last(done, "latency_ms") < 4.1


def test_a_soft_reward_lets_the_bound_be_broken_for_accuracy():
    done = searched(Reinforce(Small(), BOUNDED, reward="soft"), slower_is_better, steps=3000)
    assert mean_of_last(done, "latency_ms") > 5


def test_the_multiplier_of_a_lagrangian_makes_the_constraint_met():
    strategy = Reinforce(Small(), BOUNDED, reward=Lagrangian(rate=0.002), entropy=0.02)
    done = searched(strategy, slower_is_better, steps=8000)
    assert mean_of_last(done, "latency_ms", 4000) == pytest.approx(4.0, abs=0.05)
    # Of one step 0.05 of accuracy, and a quarter of the bound: at λ = 0.2 neither is worth the other.
    assert dict(strategy.reward.multipliers)["latency_ms"] == pytest.approx(0.2, abs=0.05)


def test_what_breaks_a_bound_unevaluated_is_avoided():
    def evaluate(architecture):
        metrics = slower_is_better(architecture)
        return metrics if metrics["latency_ms"] <= 4 else {"latency_ms": metrics["latency_ms"]}

    done = searched(Reinforce(Small(), BOUNDED), evaluate, steps=2000)
    assert sum("accuracy" not in metrics for _, metrics in done[:200]) > 20
    assert sum("accuracy" not in metrics for _, metrics in done[-200:]) < 10


class Latency(Cost):
    """A millisecond for each step of a decision, and one."""

    def __call__(self, architecture):
        return 1.0 + sum(architecture.encoding)


def screened(strategy, unit="fraction"):
    metrics = {"latency_ms": Latency("latency_ms"), "accuracy": Value("accuracy", unit)}
    strategy.screen = Screen(strategy.objective, metrics)
    return strategy


@pytest.mark.parametrize("kind", [Reinforce, PPO])
def test_what_breaks_a_cheap_bound_is_not_proposed_where_it_is_worth_nothing(kind):
    strategy = screened(kind(Small(), BOUNDED))
    assert not strategy.trains_infeasible
    done = searched(strategy, slower_is_better, steps=100)
    assert max(metrics["latency_ms"] for _, metrics in done) <= 4


@pytest.mark.parametrize("reward", ["soft", "weighted", "absolute", "lagrangian", "chamnet", "mnasnet_hard"])
@pytest.mark.parametrize("kind", [Reinforce, PPO])
def test_what_breaks_a_bound_is_proposed_and_trained_where_its_accuracy_counts(kind, reward):
    strategy = screened(kind(Small(), BOUNDED, reward=reward))
    assert strategy.trains_infeasible
    done = searched(strategy, slower_is_better, steps=100)
    assert max(metrics["latency_ms"] for _, metrics in done) > 4


def test_an_accuracy_that_counts_and_is_not_known_teaches_nothing():
    costs = {"latency_ms": 5.0}
    assert Rewarded(BOUNDED, Hard(), "auto")(costs, "accuracy", None) == 0.0
    soft = Rewarded(BOUNDED, Soft(), "auto")
    assert soft(costs, "accuracy", None) is None
    assert soft({**costs, "accuracy": 0.5}, "accuracy", None) == 0.5 * 1.25**-0.07


@dataclass(frozen=True)
class Accuracy(Value):
    """Rises with the latency."""

    name: str = "accuracy"
    unit: str = "fraction"

    def __call__(self, architecture):
        return 0.5 + 0.02 * sum(architecture.encoding)


def latencies_of_a_run(reward, budget, folder):
    """Of all trials of a whole search under 10 ms; uniform draws take 13 ms."""
    found = run(
        Toy(),
        maximize="accuracy",
        subject_to=["latency_ms <= 10"],
        metrics={"accuracy": Accuracy(), "latency_ms": Latency("latency_ms")},
        strategy="reinforce",
        strategy_settings={"reward": reward, "entropy": 0.02},
        budget=budget,
        folder=folder,
        candidates=1,
    )
    assert found.best().metrics["latency_ms"] <= 10
    return [trial.metrics["latency_ms"] for trial in found.record.trials]


def test_a_run_by_a_lagrangian_ends_with_the_constraint_met(tmp_path):
    latencies = latencies_of_a_run("lagrangian", 2000, tmp_path)
    assert statistics.mean(latencies[:100]) > 12
    assert statistics.mean(latencies[-1000:]) == pytest.approx(10, rel=0.05)


def test_runs_by_soft_rewards_go_beyond_the_bound_and_by_hard_ones_do_not(tmp_path):
    assert max(latencies_of_a_run("hard", 100, tmp_path / "hard")) <= 10
    soft = latencies_of_a_run("soft", 400, tmp_path / "soft")
    strict = latencies_of_a_run("soft:alpha=0,beta=-2", 400, tmp_path / "strict")
    assert statistics.mean(soft[-100:]) > max(10, statistics.mean(strict[-100:]) + 1)


# --- what is maximised


def test_percent_is_refused_unless_it_is_said_to_be():
    def in_percent(architecture):
        return {"accuracy": 100 * likeness(architecture.encoding)}

    with pytest.raises(ValueError, match="score='percent'"):
        searched(Reinforce(Small(), ACCURACY), in_percent, steps=50)
    by_unit = searched(screened(Reinforce(Small(), ACCURACY), "%"), in_percent, steps=50)
    percent = searched(Reinforce(Small(), ACCURACY, score="percent"), in_percent, steps=50)
    fractions = searched(Reinforce(Small(), ACCURACY), steps=50)
    assert percent == by_unit
    assert [p.architecture for p, _ in percent] == [p.architecture for p, _ in fractions]


@pytest.mark.parametrize(("score", "unit"), [("fraction", "%"), ("percent", "fraction")])
def test_a_score_that_the_unit_contradicts_is_refused_before_the_first_trial(score, unit):
    strategy = screened(Reinforce(Small(), ACCURACY, score=score), unit)
    with pytest.raises(ValueError, match=f"score={score!r} does not fit accuracy"):
        strategy.check(strategy.screen.metrics)


def test_a_score_without_a_scale_is_ranked():
    strategy = Reinforce(Small(), Objective("synflow"))
    strategy.screen = Screen(Objective("synflow"), {"synflow": Value("synflow")})
    searched(strategy, lambda a: {"synflow": 1e30 ** likeness(a.encoding)}, steps=1500)
    assert strategy.probability(Small().from_encoding(ANSWER)) > 0.9


def test_the_controller_is_warmed_up_by_a_proxy():
    strategy = Reinforce(Small(), ACCURACY, warm_up=300, warm_up_by="synflow")
    done = searched(strategy, lambda a: {"synflow": 1e6 * likeness(a.encoding)}, steps=300)
    assert {proposal.maximize for proposal, _ in done} == {"synflow"}
    assert strategy.probability(Small().from_encoding(ANSWER)) > 0.2
    (after,) = searched(strategy, steps=1)
    assert after[0].maximize == "accuracy"


@pytest.mark.parametrize("higher_is_better", [True, False])
def test_a_warm_up_goes_in_the_direction_of_its_proxy(higher_is_better):
    proxy = Value("proxy", higher_is_better=higher_is_better)
    strategy = Reinforce(Small(), ACCURACY, warm_up=300, warm_up_by="proxy")
    strategy.screen = Screen(ACCURACY, {"accuracy": Value("accuracy", "fraction"), "proxy": proxy})
    sign = 1 if higher_is_better else -1
    searched(strategy, lambda a: {"proxy": sign * likeness(a.encoding)}, steps=300)
    assert strategy.probability(Small().from_encoding(ANSWER)) > 0.2


def test_the_multipliers_of_a_lagrangian_wait_for_the_end_of_a_warm_up():
    strategy = Reinforce(Small(), BOUNDED, reward="lagrangian", warm_up=20, warm_up_by="proxy")
    over_bound = {"proxy": 1.0, "accuracy": 0.5, "latency_ms": 8.0}
    searched(strategy, lambda a: over_bound, steps=20)
    assert dict(strategy.reward.multipliers) == {}
    searched(strategy, lambda a: over_bound, steps=1)
    assert dict(strategy.reward.multipliers) == pytest.approx({"latency_ms": 0.01})


# --- a reward of one's own


class Own(Reward):
    """The accuracy, if it exceeds a threshold."""

    def __init__(self, threshold):
        self.threshold = threshold

    def __call__(self, accuracy, costs, constraints):
        return accuracy if accuracy > self.threshold else 0.0


def test_a_run_by_a_reward_without_a_repr_is_resumed_and_only_by_the_same(tmp_path):
    def searched_by(reward, budget):
        return run(
            Toy(),
            maximize="accuracy",
            metrics={"accuracy": Accuracy()},
            strategy="reinforce",
            strategy_settings={"reward": reward},
            budget=budget,
            folder=tmp_path,
            candidates=1,
        )

    left = searched_by(Own(0.5), 5)
    assert left.record.config["strategy"]["reward"] == "Own(threshold=0.5)"
    assert len(searched_by(Own(0.5), 10).record.trials) > len(left.record.trials)
    with pytest.raises(ValueError, match="reward"):
        searched_by(Own(0.6), 10)


@pytest.mark.parametrize(("score", "wrong"), [("percent", 112.0), ("percent", -1.0), ("fraction", 1.5)])
def test_a_value_out_of_the_range_of_its_score_is_named_as_it_came(score, wrong):
    strategy = screened(Reinforce(Small(), ACCURACY, score=score), "")
    proposal = strategy.ask()
    with pytest.raises(ValueError, match=rf"where score is '{score}', not {wrong:g}: .*score='rank'") as told:
        strategy.tell(proposal, {"accuracy": wrong})
    assert ("score='percent'" in str(told.value)) == (score == "fraction")
