import pytest

from hwnas.search.settings import check_strategy, read_strategy


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
