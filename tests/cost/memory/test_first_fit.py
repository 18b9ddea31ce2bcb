import itertools

from hypothesis import given
from hypothesis import strategies as st

from hwnas.cost.memory.first_fit import first_fit, highest_end, largest_and_last_first, largest_first
from hwnas.cost.memory.liveness import live_bytes
from hwnas.cost.memory.onnxruntime_arena import best_fit

BUFFERS = st.lists(
    st.tuples(st.integers(1, 60), st.integers(0, 8), st.integers(0, 4)).map(
        lambda b: (b[0], b[1], b[1] + b[2])
    ),
    min_size=1,
    max_size=14,
)


def lists(buffers):
    sizes, births, deaths = (list(column) for column in zip(*buffers, strict=True))
    return sizes, births, deaths


def overlap(a, b):
    return a[1] <= b[2] and b[1] <= a[2]


def naive(buffers, order):
    """Every address that could be the lowest free one, tried against every placed buffer."""
    offsets = {}
    for i in order:
        others = [j for j in offsets if overlap(buffers[i], buffers[j])]
        candidates = sorted({0, *(offsets[j] + buffers[j][0] for j in others)})
        offsets[i] = next(
            start
            for start in candidates
            if all(start + buffers[i][0] <= offsets[j] or offsets[j] + buffers[j][0] <= start for j in others)
        )
    return [offsets[i] for i in range(len(buffers))]


def assert_apart(buffers, offsets):
    for i, j in itertools.combinations(range(len(buffers)), 2):
        if overlap(buffers[i], buffers[j]):
            assert offsets[i] + buffers[i][0] <= offsets[j] or offsets[j] + buffers[j][0] <= offsets[i]


@given(BUFFERS, st.randoms(use_true_random=False))
def test_is_the_naive_placement(buffers, rng):
    order = list(range(len(buffers)))
    rng.shuffle(order)
    assert first_fit(*lists(buffers), order) == naive(buffers, order)


@given(BUFFERS)
def test_nothing_overlaps_and_nothing_is_below_the_bound(buffers):
    sizes, births, deaths = lists(buffers)
    for offsets in (
        first_fit(sizes, births, deaths, largest_first(sizes)),
        first_fit(sizes, births, deaths, largest_and_last_first(sizes)),
    ):
        assert_apart(buffers, offsets)
        assert max(live_bytes(sizes, births, deaths)) <= highest_end(sizes, offsets) <= sum(sizes)


@given(BUFFERS)
def test_placing_one_buffer_more_at_the_end_moves_no_other(buffers):
    sizes, births, deaths = lists(buffers)
    order = range(len(buffers))
    assert first_fit(sizes, births, deaths, order)[:-1] == first_fit(
        sizes[:-1], births[:-1], deaths[:-1], order[:-1]
    )


@given(BUFFERS)
def test_best_fit_keeps_the_living_apart(buffers):
    buffers = sorted(buffers, key=lambda buffer: buffer[1])
    sizes, births, deaths = lists(buffers)
    offsets = best_fit(sizes, births, deaths)
    assert_apart(buffers, offsets)
    assert highest_end(sizes, offsets) >= max(live_bytes(sizes, births, deaths))


def test_best_fit_takes_the_smallest_gap_that_holds():
    # [0, 10) and [20, 24) are free when the last arrives; 4 fits the smaller.
    sizes, births, deaths = [10, 10, 4, 10, 4], [0, 0, 0, 0, 1], [0, 1, 0, 1, 1]
    assert best_fit(sizes, births, deaths) == [0, 10, 20, 24, 20]


def test_orders_of_equal_sizes():
    assert largest_first([5, 9, 5, 9]) == [1, 3, 0, 2]
    assert largest_and_last_first([5, 9, 5, 9]) == [3, 1, 2, 0]


def test_nothing_to_place():
    assert first_fit([], [], [], []) == []
    assert highest_end([], []) == 0
