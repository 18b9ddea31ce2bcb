"""`hwnas list rewards`: all of them, with the settings that they accept as they are printed."""

from hwnas.objectives.rewards import REWARDS, reward
from tests.cli.test_cli import as_json


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
