import pytest

from hwnas.search import STRATEGIES
from hwnas.search.comparison import contestants, named, scale
from tests.search.comparison.tables import FREE, Recorded, recorded


def test_names_with_and_without_settings():
    assert named("all") == list(STRATEGIES)
    assert named("random, evolution,random") == ["random", "evolution"]
    text = "random,evolution:population=10,tournament=3,bayesian:proxies=('a','b'),genetic"
    assert named(text) == [
        "random",
        "evolution:population=10,tournament=3",
        "bayesian:proxies=('a','b')",
        "genetic",
    ]
    for wrong, says in [
        ("evolutions", "unknown strategy 'evolutions'"),
        (" , ", "no strategy is named"),
        ("random:population=3", "population is a setting of"),
    ]:
        with pytest.raises(ValueError, match=says):
            named(wrong)


def test_without_and_with_each_proxy():
    found = contestants(["random", "area", "evolution", "move", "bayesian"], ["x", "y"])
    settings = {one.label: (dict(one.settings), one.proxies) for one in found}
    assert settings == {
        "random": ({}, ()),
        "area": ({}, ("naswot",)),
        "area + x": ({"warm_up_by": "x"}, ("x",)),
        "area + y": ({"warm_up_by": "y"}, ("y",)),
        "evolution": ({}, ()),
        "evolution + x": ({"warm_up_by": "x", "warm_up": 1000}, ("x",)),
        "evolution + y": ({"warm_up_by": "y", "warm_up": 1000}, ("y",)),
        "move": ({}, ()),
        "move + x": ({"warm_up_by": "x", "warm_up": 1000, "move_by": "x"}, ("x", "x")),
        "move + y": ({"warm_up_by": "y", "warm_up": 1000, "move_by": "y"}, ("y", "y")),
        "bayesian": ({}, ()),
        "bayesian + x": ({"proxies": ("x",)}, ("x",)),
        "bayesian + y": ({"proxies": ("y",)}, ("y",)),
        "bayesian + all proxies": ({"proxies": ("x", "y")}, ("x", "y")),
    }


def test_given_settings_stay_and_proxies_that_are_given_are_not_replaced():
    labels = [one.label for one in contestants(["area:warm_up_by='x'"], ["x", "y"])]
    assert labels == ["area:warm_up_by='x'"]
    both = contestants(["evolution:population=10,tournament=3"], ["x"])[1]
    assert both.label == "evolution:population=10,tournament=3 + x"
    assert both.settings == {"population": 10, "tournament": 3, "warm_up_by": "x", "warm_up": 1000}


def test_rewards_are_told_the_scale():
    reinforce = contestants(["reinforce", "evolution"], score="percent")
    assert [dict(one.settings) for one in reinforce] == [{"score": "percent"}, {}]
    for factor, expected in ((1, "auto"), (100, "percent"), (-1, "rank"), (1000, "rank")):
        metric = Recorded("accuracy", lambda a, b, c, factor=factor: factor * (a + 1) / 5)
        assert scale(recorded(metrics={"accuracy": metric}).metrics["accuracy"]) == expected


@pytest.mark.parametrize(
    ("strategy", "says"),
    [
        ("random", None),
        (
            "hyperband",
            "it asks for accuracy@0.111111, which is not recorded; recorded: accuracy, cost, proxy",
        ),
        ("bayesian:proxies=('proxy','synflow')", "it asks for synflow, which is not recorded"),
        ("nsga2", "nsga2 needs costs"),
        ("nsga2:costs='proxy'", "of proxy more is better"),
    ],
)
def test_why_one_cannot_take_part(strategy, says):
    (one,) = contestants([strategy])
    reason = one.refusal(recorded(), FREE)
    assert reason is None if says is None else says in reason
