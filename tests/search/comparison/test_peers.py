"""Other libraries' samplers: they find the answer, keep the bounds, and are the same with the same seed."""

import pytest

from hwnas.objectives import Objective
from hwnas.search.comparison import compare, peers, simulate
from hwnas.search.comparison import peers as installed
from tests.search.comparison.tables import BOUNDED, FREE, Halved, recorded

pytest.importorskip("optuna", reason="optuna is not installed")
pytest.importorskip("pymoo", reason="pymoo is not installed")
PEERS = {one.label: one for one in peers()[0]}
every = pytest.mark.parametrize("peer", PEERS.values(), ids=PEERS)


def test_all_are_there():
    assert list(PEERS) == ["Optuna TPE", "Optuna NSGA-II", "pymoo NSGA-II"]
    assert all(one.is_peer for one in PEERS.values()) and installed()[1] == {}


@every
@pytest.mark.parametrize("objective", [FREE, BOUNDED], ids=["free", "bounded"])
def test_finds_what_is_best_and_breaks_no_bound(peer, objective):
    found = compare(recorded(objective), objective, [peer], repeats=3, queries=20)
    (one,) = found.entries
    assert one.violations == 0
    assert found.optimum - one.best[:, -1].max() <= 0.011
    assert one.best[:, -1].mean() > one.best[:, 0].mean()


@every
def test_the_same_seed_the_same_search(peer):
    first, again, other = (
        simulate(recorded(BOUNDED), BOUNDED, peer, queries=15, seed=seed) for seed in (4, 4, 5)
    )
    assert first.best.tolist() == again.best.tolist() and first.proposals == again.proposals
    assert first.best.tolist() != other.best.tolist()


@every
def test_a_space_with_invalid_combinations(peer):
    found = simulate(recorded(space=Halved()), FREE, peer, queries=12, seed=0)
    assert found.trained == 12 and sum(found.answer) % 2 == 0


@every
def test_learns_from_what_it_is_told(peer):
    """The last of 25 networks are better than random ones by far, in the mean of some searches."""
    objective = Objective("accuracy")
    means = [simulate(recorded(objective), objective, peer, queries=25, seed=s).best[-1] for s in range(5)]
    assert sum(means) / 5 > 0.88
