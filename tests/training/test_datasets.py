import pytest

from hwnas.training.datasets import load


@pytest.mark.parametrize("spec", ["mnist", "nowhere/train.parquet"])
def test_an_unknown_name_lists_the_known_ones(spec):
    with pytest.raises(ValueError, match=r"there is no such file.*digits, a \.npz file, a \.parquet file"):
        load(spec)


def test_a_file_of_another_kind_is_unknown(tmp_path):
    (tmp_path / "a.csv").write_text("1,2")
    with pytest.raises(ValueError, match=r"unknown data set '.*a\.csv': give digits"):
        load(tmp_path / "a.csv")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"resolution": 0}, "resolution must be a positive number of pixels, got 0"),
        ({"limit": 1}, "limit must be at least 2 images, got 1"),
        ({"seed": -1}, "seed must not be negative"),
    ],
)
def test_arguments_are_checked(arguments, message):
    with pytest.raises(ValueError, match=message):
        load("digits", **arguments)
