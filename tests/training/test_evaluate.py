import pytest
import torch
from torch import nn

from hwnas.training.evaluate import accuracy


class FirstPixels(nn.Module):
    """Gives the first row of pixels as its outputs."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return images[:, 0, 0]


def test_it_is_the_fraction_of_right_answers_in_any_batch_size():
    images = torch.eye(4).view(4, 1, 1, 4)
    labels = torch.tensor([0, 1, 0, 3])
    for batch_size in (1, 3, 4, 512):
        assert accuracy(FirstPixels(), images, labels, batch_size=batch_size) == 0.75
    assert accuracy(FirstPixels(), images, labels, prepare=torch.neg) == 0.25


def test_modes_and_statistics_are_left_as_they_were():
    module = nn.Sequential(nn.BatchNorm2d(3), nn.Sequential(nn.Dropout(0.5), nn.Flatten()))
    module.train()
    module[1].eval()
    accuracy(module, torch.rand(6, 3, 1, 1), torch.zeros(6, dtype=torch.int64))
    assert [child.training for child in module.modules()] == [True, True, False, False, False]
    assert module[0].num_batches_tracked == 0


def test_outputs_that_are_no_numbers_are_an_error():
    with pytest.raises(FloatingPointError, match="NaN or infinite"):
        accuracy(FirstPixels(), torch.full((2, 1, 1, 2), torch.nan), torch.zeros(2, dtype=torch.int64))


@pytest.mark.parametrize(("images", "labels"), [(0, 0), (3, 2)])
def test_each_image_needs_a_label(images, labels):
    with pytest.raises(ValueError, match="one label for each"):
        accuracy(FirstPixels(), torch.zeros(images, 1, 1, 2), torch.zeros(labels, dtype=torch.int64))


def test_maps_are_no_classes():
    with pytest.raises(ValueError, match=r"the network gives \[2, 3, 4, 4\]; \[images, classes\] is needed"):
        accuracy(nn.Identity(), torch.zeros(2, 3, 4, 4), torch.zeros(2, dtype=torch.int64))
