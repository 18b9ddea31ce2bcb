import pytest

from hwnas.training.settings import TrainingSettings


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"epochs": 0}, "epochs must be at least 1, got 0"),
        ({"batch_size": 1}, "batch_size must be at least 2, got 1"),
        ({"lr": float("nan")}, "lr must be a positive number, got nan"),
        ({"momentum": 1.0}, "momentum must be in"),
        ({"weight_decay": -1.0}, "weight_decay must not be negative"),
        ({"label_smoothing": 1.0}, "label_smoothing must be in"),
        ({"epochs": 2, "warmup_epochs": 3}, "warmup_epochs must be from 0 to epochs, got 3"),
        ({"gradient_clip": 0.0}, "gradient_clip must be positive, or None"),
        ({"precision": "int8"}, "precision must be fp32, bf16 or fp16, got int8"),
        ({"threads": 0}, "threads must be at least 1"),
    ],
)
def test_values_out_of_range_state_the_rule(wrong, message):
    with pytest.raises(ValueError, match=message):
        TrainingSettings(**wrong)


def test_settings_can_be_compared_and_hashed():
    assert hash(TrainingSettings(seed=3)) == hash(TrainingSettings(seed=3))
