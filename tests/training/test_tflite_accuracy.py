import numpy as np
import pytest
import torch

from hwnas.network import Builder
from hwnas.network.to_tflite import to_tflite
from hwnas.training.tflite_accuracy import tflite_accuracy

pytest.importorskip("tflite_micro", reason="the extra hwnas[mcu] is not installed")


@pytest.fixture(scope="module")
def brightest():
    """A network that tells which of three channels is the largest, and images of each."""
    b = Builder()
    network = b.build(b.linear(b.global_average_pool(b.input(3, 4, 6)), 3, bias=False))
    labels = torch.arange(90) % 3
    images = torch.rand(90, 3, 4, 6, generator=torch.Generator().manual_seed(0))
    images[range(90), labels] += 1
    weights = {"linear.weight": np.eye(3, dtype=np.float32)}
    return to_tflite(network, weights=weights, images=images.numpy()), images, labels


def test_the_fraction_of_labels_found(brightest):
    model, images, labels = brightest
    assert tflite_accuracy(model, images, labels) == 1
    assert tflite_accuracy(model, images, (labels + 1) % 3) == 0
    assert tflite_accuracy(model, images, torch.zeros_like(labels)) == pytest.approx(1 / 3)


def test_images_are_prepared_in_batches(brightest):
    model, images, labels = brightest
    sizes, seen = [], []

    def turned(batch):
        sizes.append(len(batch))
        return batch.roll(1, dims=1)

    found = tflite_accuracy(
        model, images, (labels + 1) % 3, prepare=turned, progress=lambda *counts: seen.append(counts)
    )
    assert found == 1 and sizes == [64, 26] and seen == [(64, 90), (90, 90)]


def test_what_does_not_fit(brightest):
    model, images, labels = brightest
    with pytest.raises(ValueError, match="one label for each"):
        tflite_accuracy(model, images, labels[:-1])
    with pytest.raises(ValueError, match="at least one image"):
        tflite_accuracy(model, images[:0], labels[:0])
    with pytest.raises(ValueError, match="shape"):
        tflite_accuracy(model, images[:, :2], labels)
