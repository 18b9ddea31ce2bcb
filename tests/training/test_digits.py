import numpy as np
import pytest

from hwnas.training.datasets import load
from hwnas.training.digits import TEST_RENDERINGS, TRAIN_RENDERINGS, open_digits
from hwnas.training.source import Source


@pytest.fixture
def originals(monkeypatch) -> Source:
    """The digits with each canvas replaced by its original, so that leakage can be seen."""

    def undrawn(digits, side, rng):
        canvases = np.zeros((len(digits), 3, side, side), dtype=np.uint8)
        canvases[:, 0, :8, :8] = digits * 16
        return canvases

    monkeypatch.setattr("hwnas.training.digits.draw", undrawn)
    return open_digits(None, seed=0)


def test_no_original_is_in_both_parts(originals):
    train = {image.tobytes() for image in originals.train.images()}
    test = {image.tobytes() for image in originals.test.images()}
    assert not train & test
    assert len(train | test) == 1797
    assert len(originals.train.labels) == len(train) * TRAIN_RENDERINGS
    assert len(originals.test.labels) == len(test) * TEST_RENDERINGS


def test_renderings_carry_the_label_of_their_original(originals):
    from sklearn.datasets import load_digits

    digits = load_digits()
    truth = dict(
        zip((image.astype(np.uint8).tobytes() for image in digits.images), digits.target, strict=True)
    )
    for image, label in zip(originals.test.images(), originals.test.labels, strict=True):
        assert truth[np.ascontiguousarray(image[0, :8, :8]).tobytes()] == label


def test_the_seed_decides_everything():
    first, again, other = (load("digits", limit=50, seed=seed) for seed in (0, 0, 1))
    assert first.train_images.equal(again.train_images)
    assert first.test_labels.equal(again.test_labels)
    assert not first.train_images.equal(other.train_images)


def test_canvases_are_varied_and_use_the_range():
    data = load("digits", limit=200)
    assert data.train_images.shape == (200, 3, 32, 32)
    assert data.train_images.unique(dim=0).shape[0] == 200
    assert all(0.2 < mean < 0.6 for mean in data.mean)
    assert all(0.1 < std < 0.3 for std in data.std)
    assert not data.mirrors
    assert data.classes == tuple("0123456789")
    assert data.train_labels.bincount().min() >= 19


def test_other_resolutions():
    assert load("digits", resolution=48, limit=10).input_shape == (3, 48, 48)
    with pytest.raises(ValueError, match="resolution of at least 12, got 8"):
        load("digits", resolution=8)
