import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwnas.spaces.cheapest import Table, cheapest

SIZES = {"a": 2, "b": 3, "c": 1, "d": 4}


@given(st.integers(0, 2**32 - 1), st.lists(st.permutations(list(SIZES)), max_size=4))
def test_no_other_choices_have_a_lesser_sum(seed: int, scopes: list[list[str]]) -> None:
    generator = np.random.default_rng(seed)
    tables = []
    for scope in scopes:
        groups = tuple(scope[: generator.integers(1, 4)])
        tables.append(Table(groups, generator.normal(size=[SIZES[group] for group in groups])))

    def total(chosen: dict[str, int]) -> float:
        return sum(float(values[tuple(chosen[group] for group in groups)]) for groups, values in tables)

    everything = itertools.product(*map(range, SIZES.values()))
    least = min(total(dict(zip(SIZES, indices, strict=True))) for indices in everything)
    found = cheapest(SIZES, tables)
    assert found.keys() == SIZES.keys()
    assert total(found) == pytest.approx(least)


def test_of_equals_the_first() -> None:
    assert cheapest(SIZES, [Table(("d", "a"), np.zeros((4, 2)))]) == dict.fromkeys(SIZES, 0)


def test_a_long_chain_needs_no_table_over_all_of_it() -> None:
    """60 groups of 3 choices: neighbours should differ, and the first be 1."""
    sizes = {str(place): 3 for place in range(60)}
    tables = [Table((str(place), str(place + 1)), np.eye(3)) for place in range(59)]
    chosen = cheapest(sizes, [*tables, Table(("0",), np.array([1.0, 0.0, 1.0]))])
    assert chosen["0"] == 1
    assert all(chosen[str(place)] != chosen[str(place + 1)] for place in range(59))
