"""Other libraries' samplers: they find the answer, keep the bounds, and are the same with the same seed."""

import numpy as np
import pytest

from hwnas.search.comparison import compare, peers, simulate
from hwnas.search.comparison import peers as installed
from tests.search.comparison.tables import BOUNDED, FREE, RANDOM, Halved, Recorded, Small, cost, recorded

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
    assert all(objective.violation({"cost": cost(*answer)}) == 0 for answer in one.answers)
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


class Wide(Small):
    decisions = {f"d{i}": tuple(range(5)) for i in range(6)}


def hits(*encoding):
    """The best choice is another one in each decision, and no quantity."""
    return sum(choice == (3 * place + 1) % 5 for place, choice in enumerate(encoding)) / 6


@every
def test_learns_from_what_it_is_told(peer):
    """What it lacks of the optimum is clearly less than what random search lacks, in the mean of 20 seeds."""
    found = recorded(space=Wide(), metrics={"accuracy": Recorded("accuracy", hits)})
    queries = 40 if peer.label == "Optuna TPE" else 100

    def lacking(contestant):
        return 1 - np.mean(
            [simulate(found, FREE, contestant, queries=queries, seed=s).best[-1] for s in range(20)]
        )

    assert lacking(peer) < 0.6 * lacking(RANDOM)
