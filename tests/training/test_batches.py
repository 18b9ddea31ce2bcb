import pytest
import torch

from hwnas.training.augment import Augmentation
from hwnas.training.batches import shuffled
from hwnas.training.dataset import DataSet

CPU = torch.device("cpu")
FLIP = Augmentation(crop=0)


def numbered(count: int, mirrors: bool = True) -> DataSet:
    """Images whose left column is their number, which is their label, and whose right one is 255."""
    labels = torch.arange(count)
    images = torch.stack([labels, torch.full_like(labels, 255)], dim=1).to(torch.uint8)
    pixels = images[:, None, None, :].repeat(1, 1, 2, 1)
    classes = tuple(map(str, range(count)))
    return DataSet("numbered", pixels, labels, pixels[:1], labels[:1], classes, (0.0,), (1 / 255,), mirrors)


def one_pass(
    data: DataSet, how: Augmentation | None, seed: int = 0
) -> list[tuple[torch.Tensor, torch.Tensor]]:
    return list(shuffled(data, 4, how, torch.Generator().manual_seed(seed), CPU))


def test_each_image_comes_once_with_its_label_in_full_batches():
    batches = one_pass(numbered(10), None)
    assert [len(labels) for _, labels in batches] == [4, 4]
    seen = torch.cat([labels for _, labels in batches])
    assert len(set(seen.tolist())) == 8 and seen.tolist() != sorted(seen.tolist())
    for images, labels in batches:
        assert images.dtype == torch.float32 and images.is_contiguous(memory_format=torch.channels_last)
        assert torch.equal(images[:, 0, 0, 0].long(), labels)


def test_passes_of_one_generator_differ_and_follow_from_its_seed():
    generator = torch.Generator().manual_seed(1)
    first, second = (torch.cat([y for _, y in shuffled(numbered(8), 4, FLIP, generator, CPU)]) for _ in "ab")
    assert not torch.equal(first, second)
    again = torch.cat([labels for _, labels in one_pass(numbered(8), FLIP, seed=1)])
    assert torch.equal(first, again)


@pytest.mark.parametrize("mirrors", [True, False])
def test_images_are_mirrored_only_where_that_keeps_the_label(mirrors: bool):
    left = torch.cat([images[:, 0, 0, 0] for images, _ in one_pass(numbered(40, mirrors), FLIP)])
    assert bool((left == 255).any()) == mirrors
