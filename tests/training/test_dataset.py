import numpy as np
import pytest
import torch

from hwnas.training import load
from hwnas.training.dataset import channel_statistics

from .networks import dark_and_light


def test_statistics_are_those_of_numpy():
    images = np.random.default_rng(0).integers(0, 256, (7, 3, 5, 4), dtype=np.uint8)
    mean, std = channel_statistics(torch.from_numpy(images))
    np.testing.assert_allclose(mean, (images / 255).mean((0, 2, 3)))
    np.testing.assert_allclose(std, (images / 255).std((0, 2, 3)))


def test_a_constant_channel_does_not_divide_by_zero():
    assert channel_statistics(torch.full((2, 1, 3, 3), 51, dtype=torch.uint8)) == ((0.2,), (1 / 255,))


def test_standardised_train_images_have_mean_0_and_deviation_1():
    data = dark_and_light()
    before = data.train_images.clone()
    values = data.standardise(data.train_images)
    assert values.dtype == torch.float32
    torch.testing.assert_close(values.mean((0, 2, 3)), torch.zeros(3), atol=1e-4, rtol=0)
    torch.testing.assert_close(values.std((0, 2, 3)), torch.ones(3), atol=1e-3, rtol=0)
    assert data.train_images.equal(before)


def test_a_batch_is_drawn_by_its_seed():
    data = dark_and_light()
    inputs, targets = data.batch(8, seed=1)
    assert inputs.shape == (8, *data.input_shape)
    assert targets.shape == (8,)
    assert inputs.equal(data.batch(8, seed=1)[0])
    assert not inputs.equal(data.batch(8, seed=2)[0])
    with pytest.raises(ValueError, match="size must be 1 to 32, the train images; got 33"):
        data.batch(33)


def test_crops_are_pieces_of_one_channel_of_each_image():
    data = dark_and_light(side=8)
    crops = data.crops(32, 3, seed=1)
    assert crops.shape == (32, 1, 3, 3)
    pieces = data.standardise(data.train_images).unfold(2, 3, 1).unfold(3, 3, 1)
    found = (pieces.unsqueeze(0) == crops.view(32, 1, 1, 1, 1, 3, 3)).all((-1, -2)).nonzero()
    assert found[:, 0].tolist() == list(range(32))
    assert sorted(found[:, 1].tolist()) == list(range(32))
    assert [len(set(found[:, axis].tolist())) for axis in (2, 3, 4)] == [3, 6, 6]
    assert crops.equal(data.crops(32, 3, seed=1))
    assert not crops.equal(data.crops(32, 3, seed=2))


def test_more_crops_than_images_are_several_of_each():
    data = dark_and_light(side=8)
    assert data.crops(70, 8, seed=1).flatten(1).unique(dim=0).shape[0] > 32
    with pytest.raises(ValueError, match="side must be 1 to 8, that of the images; got 9"):
        data.crops(1, 9)
    with pytest.raises(ValueError, match="size must be at least 1, not 0"):
        data.crops(0, 3)


def test_selection_never_sees_the_test_images():
    data = load("digits", limit=400)
    part = data.for_selection(0.25, seed=1)
    assert len(part.train_labels) + len(part.test_labels) == len(data.train_labels)
    assert len(part.test_labels) == pytest.approx(100, abs=5)
    mine = {image.numpy().tobytes() for image in (*part.train_images, *part.test_images)}
    assert mine == {image.numpy().tobytes() for image in data.train_images}
    assert not {i.numpy().tobytes() for i in part.test_images} & {
        i.numpy().tobytes() for i in part.train_images
    }
