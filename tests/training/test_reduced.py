import pickle
from types import SimpleNamespace

import pytest
import torch

from hwnas.network import Builder
from hwnas.objectives.metric import MetricError
from hwnas.spaces import NASBench201
from hwnas.training.metric import TrainedAccuracy
from hwnas.training.reduced import ReducedAccuracy, Reduction
from hwnas.training.settings import TrainingSettings

from .networks import dark_and_light
from .test_metric import network

SETTINGS = TrainingSettings(epochs=20, warmup_epochs=2)


@pytest.fixture
def metric() -> ReducedAccuracy:
    return ReducedAccuracy("digits", SETTINGS, limit=400)


def test_it_describes_itself(metric):
    described = (metric.name, metric.unit, metric.higher_is_better, metric.expensive)
    assert described == ("reduced_accuracy", "fraction", True, True)


def test_the_factors_are_those_of_the_paper_and_are_respected(metric):
    full = metric.full.load()
    data = metric.load()
    assert data.input_shape == (3, 8, 8) and data.train_images.dtype == torch.uint8
    assert len(data.train_labels) == len(full.train_labels)
    assert torch.equal(data.test_labels, full.test_labels)
    settings = metric.reduction.settings(SETTINGS)
    assert (settings.epochs, settings.warmup_epochs) == (2, pytest.approx(0.2))
    small = metric.reduction.network(network(64))
    sizes = [sum(p.size for p in n.parameters.values() if len(p.shape) == 4) for n in (network(64), small)]
    assert small.inputs[0].shape == (3, 8, 8)
    assert sizes[0] / sizes[1] == pytest.approx(16, rel=0.1)


def test_a_pixel_is_the_mean_of_the_area_it_covers():
    data = dark_and_light()
    small = Reduction(samples=1.0).data(data)
    expected = data.train_images.float().unfold(2, 4, 4).unfold(3, 4, 4).mean((4, 5)).round()
    assert torch.equal(small.train_images.float(), expected)
    assert small.std != data.std


@pytest.mark.parametrize("part", [0.25, 0.5])
def test_a_part_of_the_train_images_in_equal_classes(part):
    data = dark_and_light()
    small = Reduction(resolution=1.0, samples=part).data(data)
    assert torch.bincount(small.train_labels).tolist() == [16 * part] * 2
    assert torch.equal(small.test_images, data.test_images)


def test_it_survives_pickling_and_one_seed_gives_one_number(metric):
    architecture = SimpleNamespace(network=network())
    torch.manual_seed(7)
    expected = torch.rand(1)
    torch.manual_seed(7)
    first = metric(architecture)
    assert torch.rand(1) == expected
    assert 0 <= first <= 1
    assert len(pickle.dumps(metric)) < 2000
    assert pickle.loads(pickle.dumps(metric))(architecture) == first


def test_nothing_reduced_is_the_full_training():
    settings = TrainingSettings(epochs=1)
    everything = Reduction(channels=1.0, resolution=1.0, samples=1.0, epochs=1.0)
    architecture = SimpleNamespace(network=network())
    reduced = ReducedAccuracy("digits", settings, reduction=everything, limit=200)(architecture)
    assert reduced == TrainedAccuracy("digits", settings, limit=200)(architecture)


def test_it_learns_digits_in_seconds():
    reduction = Reduction(channels=0.25, resolution=0.5, epochs=0.2)
    space = NASBench201(cells=1)
    good = space.parse(
        "|nor_conv_3x3~0|+|nor_conv_3x3~0|skip_connect~1|+|skip_connect~0|none~1|nor_conv_3x3~2|"
    )
    cut_off = space.parse("|none~0|+|none~0|none~1|+|none~0|none~1|none~2|")
    metric = ReducedAccuracy("digits", TrainingSettings(epochs=15), reduction=reduction, limit=1500)
    assert metric(good) > metric(cut_off) + 0.15


def test_a_network_that_cannot_be_reduced_is_named(metric):
    b = Builder()
    x = b.average_pool(b.conv(b.input(3, 32, 32), 8), kernel=16, padding=0)
    with pytest.raises(
        ValueError, match=r"layer average_pool cannot be scaled: .* a window of 16 does not fit"
    ):
        metric(SimpleNamespace(network=b.build(b.linear(x, 10))))


def test_a_training_that_diverges_is_a_metric_error():
    settings = TrainingSettings(epochs=10, lr=1e30, warmup_epochs=0)
    with pytest.raises(MetricError, match="the training diverged in epoch 1"):
        ReducedAccuracy("digits", settings, limit=200)(SimpleNamespace(network=network()))


@pytest.mark.parametrize("name", ["channels", "resolution", "samples", "epochs"])
@pytest.mark.parametrize("factor", [0.0, -1.0, 1.1, float("nan")])
def test_wrong_factors_are_named(name, factor):
    with pytest.raises(ValueError, match=f"{name} must be above 0 and at most 1, got {factor}"):
        Reduction(**{name: factor})
