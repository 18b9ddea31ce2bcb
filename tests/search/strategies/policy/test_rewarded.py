import statistics

import pytest

from hwnas.objectives import Constraint, Objective
from hwnas.objectives.rewards import Lagrangian
from hwnas.search.strategies import PPO, Reinforce
from tests.search.strategies.policy.spaces import ACCURACY, ANSWER, Small, likeness, searched

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


class Bounds:
    """A screen that knows the latency."""

    metrics = {}

    def violation(self, architecture):
        return LATENCY.violation(slower_is_better(architecture)["latency_ms"])


@pytest.mark.parametrize("kind", [Reinforce, PPO])
def test_what_breaks_a_cheap_bound_is_not_proposed(kind):
    strategy = kind(Small(), BOUNDED)
    strategy.screen = Bounds()
    done = searched(strategy, slower_is_better, steps=100)
    assert max(metrics["latency_ms"] for _, metrics in done) <= 4


# --- what is maximised


def test_percent_is_refused_unless_it_is_said_to_be():
    def in_percent(architecture):
        return {"accuracy": 100 * likeness(architecture.encoding)}

    with pytest.raises(ValueError, match="score='percent'"):
        searched(Reinforce(Small(), ACCURACY), in_percent, steps=50)
    percent = searched(Reinforce(Small(), ACCURACY, score="percent"), in_percent, steps=50)
    fractions = searched(Reinforce(Small(), ACCURACY), steps=50)
    assert [p.architecture for p, _ in percent] == [p.architecture for p, _ in fractions]


def test_a_score_without_a_scale_is_ranked():
    strategy = Reinforce(Small(), Objective("synflow"))
    searched(strategy, lambda a: {"synflow": 1e30 ** likeness(a.encoding)}, steps=1500)
    assert strategy.probability(Small().from_encoding(ANSWER)) > 0.9


def test_the_controller_is_warmed_up_by_a_proxy():
    strategy = Reinforce(Small(), ACCURACY, warm_up=300, warm_up_by="synflow")
    done = searched(strategy, lambda a: {"synflow": 1e6 * likeness(a.encoding)}, steps=300)
    assert {proposal.maximize for proposal, _ in done} == {"synflow"}
    assert strategy.probability(Small().from_encoding(ANSWER)) > 0.2
    (after,) = searched(strategy, steps=1)
    assert after[0].maximize == "accuracy"
