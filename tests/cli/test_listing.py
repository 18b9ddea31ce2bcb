"""`hwnas list`: what there is, with the settings that it accepts as they are printed."""

from hwnas.cli.differentiable_pruning import TENAS
from hwnas.differentiable.methods import METHODS
from hwnas.objectives.penalties import PENALTIES, penalty
from hwnas.objectives.rewards import REWARDS, reward
from hwnas.search import STRATEGIES
from tests.cli.program import as_json


def test_rewards():
    rows = {row["reward"]: row for row in as_json("list", "rewards")}
    assert list(rows) == list(REWARDS)
    assert rows["mnasnet_hard"]["settings"] == "alpha=0, beta=-1"
    assert rows["monas_accuracy"]["settings"] == "threshold=NUMBER"
    assert rows["lagrangian"]["settings"] == "rate=0.01"
    assert rows["chamnet"]["formula"].startswith("A - Σ (α · max(T/τ - 1, 0))^w")
    assert all(row["paper"] for row in rows.values())
    for name in ("soft", "proxylessnas", "weighted", "absolute", "chamnet", "lagrangian"):
        settings = rows[name]["settings"].replace(" ", "")
        assert reward(f"{name}:{settings}") == reward(name)


def test_penalties():
    rows = {row["penalty"]: row for row in as_json("list", "penalties")}
    assert list(rows) == list(PENALTIES)
    assert rows["fbnet"]["formula"].startswith("L · α · log₂(1 + T/τ)^β")
    for name, row in rows.items():
        assert penalty(f"{name}:{row['settings'].replace(' ', '')}") == penalty(name)


def test_strategies_are_those_that_ask_those_by_gradients_and_the_one_by_pruning():
    rows = {row["strategy"]: row["description"] for row in as_json("list", "strategies")}
    assert list(rows) == [*STRATEGIES, *METHODS, TENAS]
    assert "DARTS: Differentiable Architecture Search" in rows["darts"]


def test_metrics_that_train_have_settings():
    rows = {row["metric"]: row["kind"] for row in as_json("list", "metrics")}
    assert "settings epochs, " in rows["reduced_accuracy"]
    assert "sampling" in rows["accuracy_oneshot"]
