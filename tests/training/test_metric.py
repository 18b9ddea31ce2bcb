import pickle
from types import SimpleNamespace

import pytest
import torch

from hwnas.network import Builder, Network
from hwnas.objectives.metric import MetricError
from hwnas.training.metric import TrainedAccuracy
from hwnas.training.settings import TrainingSettings


def network(width: int = 8, side: int = 32) -> Network:
    b = Builder()
    x = b.input(3, side, side)
    for channels in (width, 2 * width):
        x = b.relu(b.batch_norm(b.conv(x, channels, kernel=3, stride=2)))
    return b.build(b.linear(b.global_average_pool(x), 10))


@pytest.fixture
def metric() -> TrainedAccuracy:
    return TrainedAccuracy("digits", TrainingSettings(epochs=1), limit=200)


def test_it_describes_itself(metric):
    assert (metric.name, metric.unit, metric.higher_is_better, metric.expensive) == (
        "accuracy",
        "fraction",
        True,
        True,
    )


def test_it_survives_pickling_and_gives_the_same_number(metric):
    architecture = SimpleNamespace(network=network())
    torch.manual_seed(7)
    expected = torch.rand(1)
    torch.manual_seed(7)
    first = metric(architecture)
    assert torch.rand(1) == expected
    assert 0 <= first <= 1
    copy = pickle.loads(pickle.dumps(metric))
    assert copy(architecture) == first


def test_the_data_is_read_once_and_stays_out_of_the_pickle(metric):
    assert metric.load() is metric.load()
    assert len(pickle.dumps(metric)) < 2000


def test_a_training_that_diverges_is_a_metric_error():
    settings = TrainingSettings(epochs=1, lr=1e30, warmup_epochs=0)
    with pytest.raises(MetricError, match="the training diverged in epoch 1"):
        TrainedAccuracy("digits", settings, limit=200)(SimpleNamespace(network=network()))
