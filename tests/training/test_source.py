import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwnas.training.source import Split, allocate, hold_out, stratified

labels_of = st.lists(st.integers(0, 4), min_size=1, max_size=60).map(lambda labels: np.array(labels))


@given(labels_of, st.integers(0, 100))
def test_hold_out_parts_every_class_of_two_or_more(labels, seed):
    if np.bincount(labels).max() < 2:
        with pytest.raises(ValueError, match="no class has two images"):
            hold_out(labels, 0.2, np.random.default_rng(seed))
        return
    kept, held = hold_out(labels, 0.2, np.random.default_rng(seed))
    assert sorted([*kept, *held]) == list(range(len(labels)))
    for label, count in enumerate(np.bincount(labels)):
        expected = min(max(1, round(0.2 * count)), count - 1) if count else 0
        assert (labels[held] == label).sum() == expected


@given(labels_of, st.integers(1, 70), st.integers(0, 100))
def test_a_limit_keeps_the_proportions_of_the_classes(labels, limit, seed):
    chosen = stratified(labels, limit, np.random.default_rng(seed))
    assert len(chosen) == min(limit, len(labels))
    assert (np.diff(chosen) > 0).all()
    counts = np.bincount(labels, minlength=5)
    share = len(chosen) / len(labels)
    assert (np.abs(np.bincount(labels[chosen], minlength=5) - share * counts) <= 2).all()


def test_a_subset_of_a_subset_reads_the_right_images():
    pixels = np.arange(10, dtype=np.uint8).reshape(10, 1, 1, 1)
    split = Split(np.arange(10) % 2, lambda indices: pixels[indices])
    part = split.subset(np.array([1, 3, 5, 8])).subset(np.array([0, 2, 3]))
    assert part.images().ravel().tolist() == [1, 5, 8]
    assert part.labels.tolist() == [1, 1, 0]


def test_images_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"1000000 images of 3x224x224 take 140\.2 GiB.*smaller resolution"):
        allocate(1_000_000, 3, 224, 224)
