import pytest
import torch

from hwnas.differentiable.oneshot.by_name import accuracy_oneshot


def test_the_settings_are_those_of_the_training():
    metric = accuracy_oneshot(
        "digits",
        3,
        {
            "epochs": 20,
            "lr": 0.1,
            "batch_size": 16,
            "sampling": "shrinking",
            "elastic": True,
            "calibration_images": 99,
            "limit": 90,
            "folder": "kept",
        },
    )
    training = metric.settings.training
    assert (training.epochs, training.lr, training.batch_size, training.seed) == (20, 0.1, 16, 3)
    assert training.warmup_epochs == pytest.approx(1)
    assert (metric.settings.sampling, metric.settings.elastic) == ("shrinking", True)
    assert (metric.settings.calibration_images, metric.limit) == (99, 90)
    assert metric.folder.name == "kept"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"epoch": 3}, "epoch is no setting of it; it has epochs"),
        ({"epochs": 2.5}, "epochs must be a whole number"),
        ({"epochs": 0}, "epochs must be at least 1"),
        ({"lr": "fast"}, "lr must be a finite number"),
        ({"elastic": 1}, "elastic must be True or False"),
        ({"sampling": "fair"}, "sampling must be uniform, sandwich, shrinking"),
        ({"limit": 1}, "limit must be at least 2"),
        ({"device": "gpu"}, "device must be cpu or cuda"),
        ({"precision": "bf16"}, "needs device=cuda"),
        ({"precision": "int8"}, "precision must be fp32"),
    ],
)
def test_wrong_settings_are_named(settings, message):
    with pytest.raises(ValueError, match=f"metric accuracy_oneshot: .*{message}"):
        accuracy_oneshot("digits", 0, settings)


def test_images_are_needed():
    with pytest.raises(ValueError, match="trains on images: --data"):
        accuracy_oneshot(None, 0)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_cuda_is_refused_where_there_is_none():
    with pytest.raises(ValueError, match="no CUDA device"):
        accuracy_oneshot("digits", 0, {"device": "cuda"})
