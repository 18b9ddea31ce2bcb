import pytest

from hwnas.objectives import Objective
from hwnas.search import STRATEGIES, RandomSearch
from hwnas.search.metrics import CountMetric
from hwnas.search.settings import check_strategy, make_objective, make_strategy, read_strategy
from tests.search.toy import Cost, Toy


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("nsga2:costs=5", "nsga2: costs must be several words"),
        ("nsga2:costs=[1,2]", "nsga2: costs must be several words"),
        ("bayesian:proxies=3", "bayesian: proxies must be several words"),
        ("move:move_by=3", "move: move_by must be a word or None, not 3"),
        ("reinforce:reward=3", "reinforce: reward must be a word or a Reward, not 3"),
        ("reinforce:reward=None", "reinforce: reward must be a word"),
        ("reinforce:batch=1.5", "reinforce: batch must be a whole number, not 1.5"),
        ("evolution:population=x", "evolution: population must be a whole number, not 'x'"),
        ("evolution:population=None", "evolution: population must be a whole number, not None"),
        ("hyperband:eta=nan", "hyperband: eta must be a whole number"),
        ("ppo:clip=nan", "ppo: clip must be a finite number, not 'nan'"),
        ("evolution:", "of strategy evolution must be key=value"),
        ("evolution:population=2,population=3", "population is given 2 times"),
    ],
)
def test_a_wrong_setting_of_a_strategy_is_named(text, says):
    with pytest.raises(ValueError, match=says):
        check_strategy(*read_strategy(text))


class Needy(RandomSearch):
    """Needs a setting, and has a bug in it."""

    def __init__(self, space, objective, *, least: int, seed: int = 0):
        super().__init__(space, objective, seed=seed)
        self.half = least / None


def test_a_missing_setting_of_a_strategy_is_named_and_its_bugs_are_not_hidden(monkeypatch):
    monkeypatch.setitem(STRATEGIES, "needy", Needy)
    with pytest.raises(ValueError, match="strategy needy: missing a required argument: 'least'"):
        make_strategy("needy", Toy(), Objective("value"), 0, {})
    with pytest.raises(TypeError, match="unsupported operand"):
        make_strategy("needy", Toy(), Objective("value"), 0, {"least": 2})


def test_a_cost_is_maximised_only_where_it_is_a_score_too():
    assert make_objective("params", [], {"params": CountMetric("params")}) == Objective("params")
    assert make_objective("params", [], {"params": Cost("params")}) == Objective("params")
    with pytest.raises(ValueError, match="less is better of cost"):
        make_objective("cost", [], {"cost": Cost()})
