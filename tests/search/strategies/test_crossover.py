"""Strategies that breed: their children have decisions of two parents."""

import pytest

from hwnas.search import GeneticSearch
from hwnas.search.strategies import NSGA2, ChamNet
from tests.search.strategies.told import SUM, Toy

POPULATION = 60


class Poles(Toy):
    """Whose random architectures have all decisions 0 or all 4."""

    name = "poles"

    def random(self, generator):
        return self.from_encoding([4 * int(generator.integers(2))] * 6)


BREEDERS = {
    "genetic": lambda: GeneticSearch(Poles(), SUM, population=POPULATION, parents=POPULATION),
    "nsga2": lambda: NSGA2(Poles(), SUM, costs=["cost"], population=POPULATION),
    "chamnet": lambda: ChamNet(Poles(), SUM, population=POPULATION),
}


@pytest.mark.parametrize("breeder", BREEDERS)
def test_children_have_decisions_of_two_parents(breeder):
    strategy = BREEDERS[breeder]()
    for _ in range(POPULATION):
        strategy.tell(strategy.ask(), {"value": 1.0, "cost": 1.0})
    children = [strategy.ask().architecture.encoding for _ in range(POPULATION)]
    of_both = [min(child.count(0), child.count(4)) >= 2 for child in children]
    assert sum(of_both) > 0.2 * POPULATION
