"""What the strategies' benchmark says of comparisons that are made up."""

import math

import numpy as np
import pytest

from benchmarks.strategies_page import beaten, budget_rows, wins
from benchmarks.strategies_predicted import BOUND, PREDICTION, Judged, predicted_rows
from benchmarks.strategies_published import Row, published_rows
from benchmarks.strategies_setting import SPACE, Setting, mean_and_error
from hwnas.objectives import Constraint, Objective
from hwnas.search.comparison import Entry, StrategyComparison

OPTIMUM = 94.0


def entry(label, regret, *, peer=False):
    best = OPTIMUM - np.array([[regret - 0.01], [regret + 0.01]])
    return Entry(label, peer, best, best, np.ones(2), 0.0, [None, None], 0.0)


def budget(**regrets):
    own = [entry(label.replace("_", " + "), regret) for label, regret in regrets.items() if label != "peer"]
    objective = Objective("accuracy", (Constraint("latency_ms", 5),))
    return StrategyComparison(
        objective, {}, "small", 10, 5, OPTIMUM, 1, math.inf, 2, 0,
        [*own, entry("TPE", regrets["peer"], peer=True), entry("NSGA-II", 0.5, peer=True)], {},
    )  # fmt: skip


FOUND = [
    ("phone", 0.1, budget(a_proxy=0.1, a=0.3, b=0.6, peer=0.2)),
    ("phone", 0.5, budget(a_proxy=0.1, a=0.1, b=0.1, peer=0.2)),
    ("board", 0.1, budget(a_proxy=0.4, a=0.2, b=0.6, peer=0.3)),
]


def test_in_how_many_budgets_every_peer_is_beaten():
    assert [beaten(FOUND, label) for label in ("a + proxy", "a", "b", "TPE")] == [2, 2, 1, 3]
    said = wins(FOUND)
    assert "a + proxy is below every peer in 2 of 3" in said and "a is in 2 of 3" in said


def test_the_rows_of_budgets():
    rows = budget_rows(FOUND)
    assert rows[0] == ["phone", "10%", "5", "94.00", "**0.100**", "0.300", "0.600", "0.200", "0.500"]
    assert rows[-2][4].startswith("0.200 ± ") and rows[-2][7].startswith("0.233 ± ")
    assert rows[-1][4:] == ["2", "2", "1", "3", "0"]
    mean, error = mean_and_error(np.array([1.0, 2.0, 3.0]))
    assert (mean, error) == (2, pytest.approx(1 / math.sqrt(3)))


def test_answers_on_predictions():
    found = [
        Judged("phone", 0.1, PREDICTION, np.array([0.2, np.nan, np.nan, 0.4]), np.array([0.1])),
        Judged("phone", 0.1, BOUND, np.array([0.5]), np.array([])),
    ]
    rows = predicted_rows(found)
    assert rows[0] == ["phone", "10%", PREDICTION, "4", "1", "10.0%", "1", "0.300"]
    assert rows[-1] == ["all", "", BOUND, "1", "0", "", "0", "0.500"]


def test_published_rows_say_whether_ours_are_within():
    stated = {"method": "REA", "budget": "12000 s", "test_mean": "93.9", "test_std": "0.3"}
    untested = {**stated, "test_mean": "", "validation_mean": "91.2", "validation_std": "0.27"}
    rows = published_rows(
        [
            Row(stated, 100, np.array([94.1, 94.3]), np.array([94.0])),
            Row(stated, 100, np.array([94.25]), None),
            Row(untested, 100, None, np.array([94.0])),
        ]
    )
    assert rows[0][2:] == ["93.9 ± 0.3", "100", "94.20 ± 0.10 (2)", "yes", "94.00 ± 0.00 (1)", "yes"]
    assert rows[1][4:] == ["94.25 ± 0.00 (1)", "no", "", ""]
    assert rows[2][2:] == ["validation 91.2 ± 0.27", "100", "", "", "94.00 ± 0.00 (1)", ""]


def test_scores_of_some_cells_only_are_left_out(tmp_path, capsys):
    path = tmp_path / "scores.csv"
    cells = [str(one) for one in SPACE.sample(3, seed=0)]
    path.write_text("\n".join(["architecture,naswot", *(f'"{cell}",1.0' for cell in cells)]) + "\n")
    setting = Setting(tmp_path, path, 1, 1, 1, None, None)
    assert setting.naswot_file is None
    assert f"{path} has 3 of 15,625 cells" in capsys.readouterr().out
    assert Setting(tmp_path, tmp_path / "none.csv", 1, 1, 1, None, None).naswot_file is None
    assert "none.csv is not there" in capsys.readouterr().out
