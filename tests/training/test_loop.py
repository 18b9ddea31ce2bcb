import pickle
from dataclasses import replace
from math import isnan

import pytest
import torch
from torch import nn

from hwnas.training.augment import Augmentation
from hwnas.training.datasets import load
from hwnas.training.loop import train
from hwnas.training.result import TrainingDiverged
from hwnas.training.settings import TrainingSettings

from .networks import convnet, dark_and_light


@pytest.fixture(scope="module")
def digits():
    return load("digits")


def test_a_small_network_learns_digits(digits):
    result = train(convnet(), digits, TrainingSettings(epochs=3, augmentation=None))
    assert result.accuracy > 0.8
    assert result.accuracy == result.accuracies[-1]
    assert list(result.losses) == sorted(result.losses, reverse=True)
    assert result.diverged is None
    assert result.seconds > 0


def test_it_cannot_learn_labels_that_mean_nothing(digits):
    order = torch.randperm(len(digits.train_labels), generator=torch.Generator().manual_seed(0))
    shuffled = replace(digits, train_labels=digits.train_labels[order])
    result = train(convnet(), shuffled, TrainingSettings(epochs=1, augmentation=None))
    assert result.accuracy < 0.2


def test_a_wider_network_learns_more(digits):
    settings = TrainingSettings(epochs=2, augmentation=None)
    narrow, wide = (train(convnet(width=width), digits, settings).accuracy for width in (2, 16))
    assert wide > narrow + 0.05


def with_dropout(seed: int = 0) -> nn.Module:
    return nn.Sequential(nn.Dropout(0.2), convnet(classes=2, seed=seed))


def test_the_seed_decides_the_result_and_global_randomness_is_left_alone():
    data = dark_and_light()
    settings = TrainingSettings(epochs=2, batch_size=8, seed=4, augmentation=Augmentation(cutout=0.5))
    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    first = train(with_dropout(), data, settings)
    assert torch.rand(1) == expected
    again = train(with_dropout(), data, settings)
    other = train(with_dropout(), data, replace(settings, seed=5))
    assert first.losses == again.losses
    assert first.accuracies == again.accuracies
    assert first.losses != other.losses


def test_a_loss_that_is_no_number_stops_the_training():
    module = convnet(classes=2)
    module[-1].weight.data[0, 0] = torch.nan
    with pytest.raises(TrainingDiverged, match="epoch 1, step 1: the loss is nan; try a lower lr") as caught:
        train(module, dark_and_light(), TrainingSettings(epochs=2))
    assert (caught.value.epoch, caught.value.step) == (1, 1)
    assert isnan(caught.value.result.accuracy)
    assert caught.value.result.diverged == str(caught.value)
    copy = pickle.loads(pickle.dumps(caught.value))
    assert str(copy) == str(caught.value)


def test_an_absurd_learning_rate_diverges_and_modes_are_restored():
    module = nn.Sequential(nn.Flatten(), nn.Linear(3072, 64), nn.Linear(64, 64), nn.Linear(64, 2)).eval()
    settings = TrainingSettings(epochs=5, batch_size=4, lr=1e20, warmup_epochs=0)
    with pytest.raises(TrainingDiverged) as caught:
        train(module, dark_and_light(), settings)
    assert caught.value.step > 1
    assert not module[1].training


def test_weights_that_overflow_in_the_last_step_are_noticed():
    module = nn.Sequential(nn.Flatten(), nn.Linear(3072, 2))
    settings = TrainingSettings(epochs=1, batch_size=32, lr=1e38, weight_decay=1e3, warmup_epochs=0)
    with pytest.raises(TrainingDiverged, match="an output of the network is NaN or infinite"):
        train(module, dark_and_light(), settings)


def test_progress_reports_every_step():
    seen = []
    train(
        convnet(classes=2), dark_and_light(), TrainingSettings(epochs=2, batch_size=12), progress=seen.append
    )
    assert [(p.step, p.steps, p.epoch, p.epochs) for p in seen] == [
        (1, 4, 1, 2),
        (2, 4, 1, 2),
        (3, 4, 2, 2),
        (4, 4, 2, 2),
    ]


def test_gradient_clipping_bounds_the_first_step():
    settings = TrainingSettings(
        epochs=1, batch_size=32, lr=1.0, momentum=0, weight_decay=0, warmup_epochs=0, gradient_clip=0.01
    )
    module = nn.Sequential(nn.Flatten(), nn.Linear(3072, 2))
    before = [parameter.detach().clone() for parameter in module.parameters()]
    train(module, dark_and_light(), settings)
    change = sum((p - b).square().sum() for p, b in zip(module.parameters(), before, strict=True)).sqrt()
    assert change.item() == pytest.approx(0.01, rel=1e-3)


def test_threads_are_restored():
    inside = []
    train(
        convnet(classes=2),
        dark_and_light(),
        TrainingSettings(epochs=1, threads=2),
        progress=lambda _: inside.append(torch.get_num_threads()),
    )
    assert inside == [2]
    assert torch.get_num_threads() == 1


def test_wrong_outputs_are_explained():
    with pytest.raises(ValueError, match=r"outputs of shape \[32, 10\].*has 2 classes.*must be \[32, 2\]"):
        train(convnet(classes=10), dark_and_light(), TrainingSettings(epochs=1))


def test_mixed_precision_needs_cuda():
    with pytest.raises(ValueError, match="precision bf16 needs a CUDA device, and this is cpu"):
        train(convnet(classes=2), dark_and_light(), TrainingSettings(precision="bf16"))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="mixed precision needs a CUDA device")
@pytest.mark.parametrize("precision", ["fp32", "bf16", "fp16"])
def test_training_on_cuda(digits, precision):
    settings = TrainingSettings(epochs=3, augmentation=None, precision=precision)
    assert train(convnet(), digits, settings, device="cuda").accuracy > 0.8
