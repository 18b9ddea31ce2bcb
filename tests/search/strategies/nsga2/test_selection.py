"""Who survives and who breeds."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwnas.search.strategies.nsga2.selection import Member, Ranked, survivors, tournament
from tests.search.toy import Toy

SPACE = Toy()


def members(rows, violations=None):
    violations = violations or [0.0] * len(rows)
    return [
        Member(SPACE.from_encoding([i % 5, i // 5 % 5, i // 25, 0, 0, 0]), tuple(map(float, row)), violation)
        for i, (row, violation) in enumerate(zip(rows, violations, strict=True))
    ]


def numbers(population, among):
    return {among.index(ranked.member) for ranked in population}


def test_of_the_front_that_fits_in_part_the_crowded_die():
    known = members([[0, 10], [1, 6], [2, 5.5], [6, 1], [10, 0], [11, 11]])
    # crowding of the inner ones: 0.65, 1, 1.35
    assert numbers(survivors(known, 4), known) == {0, 2, 3, 4}


def test_an_infeasible_one_survives_only_where_there_is_room():
    known = members([[0, 0], [9, 9], [5, 5]], [0.5, 0.0, 0.1])
    assert [known.index(r.member) for r in survivors(known, 3)] == [1, 2, 0]
    assert numbers(survivors(known, 2), known) == {1, 2}
    assert survivors(known, 3)[1].crowding == 0


@given(
    st.lists(
        st.tuples(st.integers(0, 5), st.integers(0, 5), st.sampled_from([0.0, 0.0, 1.0, math.inf])),
        min_size=4,
        max_size=30,
    )
)
def test_nobody_survives_whom_a_dead_one_dominates(rows):
    known = members([row[:2] for row in rows], [row[2] for row in rows])
    kept = survivors(known, 4)
    assert len(kept) == 4
    alive = numbers(kept, known)
    worst = max(ranked.front for ranked in kept)
    everyone = survivors(known, len(known))
    fronts = {known.index(ranked.member): ranked.front for ranked in everyone}
    assert all(front >= worst for number, front in fronts.items() if number not in alive)


def test_the_better_front_wins_and_then_the_less_crowded():
    better, crowded, alone = (
        Ranked(member, front, crowding)
        for member, front, crowding in zip(members([[0, 0]] * 3), (0, 1, 1), (0.0, 0.1, 3.0), strict=True)
    )
    generator = np.random.default_rng(0)
    wins = [tournament([crowded, alone], generator) for _ in range(400)]
    assert wins.count(alone.member.architecture) / 400 == pytest.approx(3 / 4, abs=0.07)
    wins = [tournament([better, alone], generator) for _ in range(400)]
    assert wins.count(better.member.architecture) / 400 == pytest.approx(3 / 4, abs=0.07)
