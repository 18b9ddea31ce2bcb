"""What is drawn, counted and kept of one space."""

import numpy as np
import pytest

from hwnas.cost import count
from hwnas.cost.metrics import FlashMetric, SramMetric
from hwnas.spaces import MCUNet
from hwnas.tinynas import Limit
from hwnas.tinynas.sampling import draw

from .metrics import Count, Counting, Refusing

SPACE = MCUNet(width=0.3, resolution=48, classes=10)


def reference(n, seed):
    generator = np.random.default_rng(seed)
    return [count(SPACE.random(generator).network).whole for _ in range(n)]


def test_draws_are_the_spaces_own_and_their_macs_are_of_the_satisfying_ones():
    counted = reference(60, [7, 1])
    bounds = np.median([one.params for one in counted]), np.quantile([one.macs for one in counted], 0.8)
    limits = [Limit(Count("params"), bounds[0]), Limit(Count("macs"), bounds[1])]
    found = draw(SPACE, "it", limits, 60, [7, 1])
    kept = [one.macs for one in counted if one.params <= bounds[0] and one.macs <= bounds[1]]
    assert found.macs.tolist() == kept and found.drawn == 60 and found.nearest is None
    assert found.excluded == (
        sum(one.params > bounds[0] for one in counted),
        sum(one.macs > bounds[1] for one in counted),
    )
    assert 0 < len(kept) < 60


def test_the_nearest_is_that_of_the_least_violation():
    counted = reference(40, [0])
    least = min(counted, key=lambda one: one.params / 1000 - 1 + one.macs / 2000 - 1)
    found = draw(SPACE, "it", [Limit(Count("params"), 1000), Limit(Count("macs"), 2000)], 40, [0])
    assert found.excluded == (40, 40) and len(found.macs) == 0
    assert found.nearest.metrics == {"params": least.params, "macs": least.macs}
    again = count(SPACE.parse(found.nearest.architecture).network).whole
    assert (again.params, again.macs) == (least.params, least.macs)
    assert found.nearest.violation == pytest.approx(least.params / 1000 - 1 + least.macs / 2000 - 1)


def test_expensive_metrics_are_asked_of_what_keeps_to_the_others_and_networks_are_made_once():
    counted = reference(30, [3])
    middle = float(np.median([one.params for one in counted]))
    Counting.asked.clear()
    cheap, dear = Counting("params"), Counting("macs", expensive=True)
    found = draw(SPACE, "it", [Limit(cheap, middle), Limit(dear, 1e12)], 30, [3])
    assert len(found.macs) == sum(one.params <= middle for one in counted)
    assert len(Counting.asked) == 30 + len(found.macs)
    networks = {}
    for architecture, network in Counting.asked:
        assert networks.setdefault(id(architecture), network) is network


def test_parts_add_up():
    limits = [Limit(Count("params"), 1000)]
    parts = [draw(SPACE, "it", limits, 10, [seed]) for seed in range(3)]
    total = parts[0] + parts[1] + parts[2]
    assert total.drawn == 30 and total.excluded == (30,)
    assert total.nearest.violation == min(part.nearest.violation for part in parts)
    fitting = draw(SPACE, "it", [Limit(Count("params"), 1e9)], 10, [0])
    assert (total + fitting).nearest is None and len((total + fitting).macs) == 10


def test_an_undefined_metric_is_an_error_that_names_the_network():
    with pytest.raises(ValueError, match=r"params of r48-k.* in space it: no such operator"):
        draw(SPACE, "it", [Limit(Refusing(), 1)], 1, [0])


@pytest.mark.parametrize("bound", [0, -1, float("nan"), float("inf")])
def test_bounds_that_are_none(bound):
    with pytest.raises(ValueError, match="the bound of params must be"):
        Limit(Count(), bound)


def test_screens_change_nothing():
    space = MCUNet(width=0.5, resolution=160)
    for most in (230, 256, 100):
        plain = Limit(SramMetric("tinyengine"), most * 1024)
        screened = Limit(SramMetric("tinyengine"), most * 1024, SramMetric("tinyengine", most=most * 1024))
        flash = Limit(FlashMetric("tinyengine"), 900 * 1024)
        one, other = (draw(space, "it", [limit, flash], 120, [0]) for limit in (plain, screened))
        assert one.macs.tolist() == other.macs.tolist() and one.excluded == other.excluded
        assert one.nearest == other.nearest
        assert (one.nearest is None) == (most > 100)
