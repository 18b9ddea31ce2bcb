import math
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwnas.differentiable.pruning.reduced import Remaining, Removal
from hwnas.differentiable.pruning.rounds import importance, pruned, without_edges

ALL = {"a": (0, 1, 2), "b": (1, 3), "c": (2,)}
VALUES = {("a", 0): 3.0, ("a", 1): 1.0, ("a", 2): 2.0, ("b", 1): 0.0, ("b", 3): 9.0, ("c", 2): 5.0}


def by_value(remaining: Remaining, removals: Sequence[Removal]) -> dict[Removal, float]:
    return {removal: VALUES[removal] for removal in removals}


def test_equal_harms_share_a_rank_and_ranks_add_up():
    first = {("a", 0): 0.5, ("a", 1): -0.2, ("b", 0): 0.5}
    second = {("a", 0): 1.0, ("a", 1): 2.0, ("b", 0): math.inf}
    assert importance([first, second]) == {("a", 0): (1 + 0, 1), ("a", 1): (0 + 1, 0), ("b", 0): (1 + 2, 1)}


def test_of_equal_sums_the_less_harmful_by_the_first_measure_goes():
    first = {("a", 0): 2.0, ("a", 1): 1.0}
    second = {("a", 0): 1.0, ("a", 1): 2.0}
    measures = [lambda remaining, removals, harms=harms: harms for harms in (first, second)]
    assert list(pruned({"a": (0, 1)}, measures)) == [{"a": (0,)}]
    assert list(pruned({"a": (0, 1)}, measures[::-1])) == [{"a": (1,)}]


def test_a_group_loses_its_least_important_choice_in_each_round():
    assert list(pruned(ALL, [by_value])) == [
        {"a": (0, 2), "b": (3,), "c": (2,)},
        {"a": (0,), "b": (3,), "c": (2,)},
    ]


def test_several_choices_may_go_at_once_but_not_the_last():
    assert list(pruned(ALL, [by_value], number=3)) == [{"a": (0,), "b": (3,), "c": (2,)}]


def test_only_open_groups_are_measured():
    asked: list[Removal] = []

    def measure(remaining: Remaining, removals: Sequence[Removal]) -> dict[Removal, float]:
        asked.extend(removals)
        return by_value(remaining, removals)

    list(pruned(ALL, [measure]))
    assert asked == [("a", 0), ("a", 1), ("a", 2), ("b", 1), ("b", 3), ("a", 0), ("a", 2)]


@given(
    sizes=st.lists(st.integers(1, 5), min_size=1, max_size=4),
    number=st.integers(1, 4),
    harms=st.randoms(use_true_random=False),
)
def test_it_ends_with_one_choice_of_each_group(sizes: list[int], number: int, harms):
    start = {str(group): tuple(range(size)) for group, size in enumerate(sizes)}

    def measure(remaining: Remaining, removals: Sequence[Removal]) -> dict[Removal, float]:
        return {removal: float(harms.randrange(4)) for removal in removals}

    rounds = [start, *pruned(start, [measure, measure], number=number)]
    assert all(len(choices) == 1 for choices in rounds[-1].values())
    for before, after in pairwise(rounds):
        for group in start:
            assert set(after[group]) <= set(before[group])
            assert len(before[group]) - len(after[group]) == min(number, len(before[group]) - 1)


def test_the_most_important_edges_stay():
    left = {"e0": (4,), "e1": (2,), "e2": (2,), "other": (1, 3)}
    harm = {"e0": 0.1, "e1": 0.7, "e2": 0.3}

    def measure(remaining: Remaining, removals: Sequence[Removal]) -> dict[Removal, float]:
        return {removal: harm[removal[0]] for removal in removals}

    kept = without_edges(left, ["e0", "e1", "e2"], [measure])
    assert kept == {"e0": (), "e1": (2,), "e2": (2,), "other": (1, 3)}
    assert without_edges(left, ["e0", "e1"], [measure]) == left


def test_wrong_arguments_are_named():
    with pytest.raises(ValueError, match="number must be at least 1, not 0"):
        list(pruned(ALL, [by_value], number=0))
    with pytest.raises(ValueError, match="there is none of b"):
        list(pruned({"a": (1, 2), "b": ()}, [by_value]))
    with pytest.raises(ValueError, match="edges must have one choice left each; not so a"):
        without_edges(ALL, ["a", "c"], [by_value])
