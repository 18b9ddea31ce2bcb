import pytest

from hwnas.objectives import Objective
from hwnas.search.strategies.evolution import RegularizedEvolution
from hwnas.search.strategy import Proposal
from tests.search.toy import Toy

OBJECTIVE = Objective("value")


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"population": 1}, "population"),
        ({"population": 5, "tournament": 6}, "tournament"),
        ({"tournament": 0}, "tournament"),
        ({"population": 50, "warm_up": 10, "warm_up_by": "naswot"}, "warm_up"),
        ({"warm_up": 100}, "warm_up_by"),
        ({"warm_up_by": "naswot"}, "warm_up"),
    ],
)
def test_sizes_that_do_not_fit(settings, says):
    with pytest.raises(ValueError, match=says):
        RegularizedEvolution(Toy(), OBJECTIVE, **settings)


def test_the_oldest_dies():
    space = Toy()
    strategy = RegularizedEvolution(space, OBJECTIVE, population=3, tournament=3)
    best = space.from_encoding([4] * 6)
    proposals = [strategy.ask() for _ in range(3)]
    strategy.tell(Proposal(best, "value"), {"value": 100.0})
    for proposal in proposals[1:]:
        strategy.tell(proposal, {"value": 1.0})
    child = strategy.ask()
    assert sum(a != b for a, b in zip(child.architecture.encoding, best.encoding, strict=True)) == 1
    strategy.tell(child, {"value": 0.0})
    later = strategy.ask().architecture
    assert sum(a != b for a, b in zip(later.encoding, best.encoding, strict=True)) > 1
