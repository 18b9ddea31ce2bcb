import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from hwnas.training.augment import Augmentation, augment, one_colour

fractions = st.sampled_from([0.0, 0.1, 0.25, 0.5, 1.0])
augmentations = st.builds(Augmentation, crop=fractions, flip=st.booleans(), cutout=fractions)
shapes = st.tuples(st.integers(1, 6), st.sampled_from([1, 3]), st.integers(1, 9), st.integers(1, 9))
FILL = 255


def numbered(shape: tuple[int, ...]) -> torch.Tensor:
    """Images where each pixel states its image and channel."""
    count, channels = shape[:2]
    marks = 10 * torch.arange(count).view(-1, 1, 1, 1) + torch.arange(channels).view(1, -1, 1, 1)
    return marks.expand(shape).to(torch.uint8)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@settings(max_examples=60)
@given(shapes, augmentations, st.integers(0, 1000))
def test_each_pixel_comes_from_its_own_image_and_channel_or_is_fill(shape, how, seed):
    images = numbered(shape)
    fill = torch.full((shape[1],), FILL, dtype=torch.uint8)
    changed = augment(images, how, seeded(seed), fill)
    assert changed.shape == images.shape
    assert changed.dtype == images.dtype
    assert ((changed == images) | (changed == FILL)).all()
    assert changed.equal(augment(images, how, seeded(seed), fill))


@settings(max_examples=60)
@given(shapes, st.integers(0, 1000))
def test_without_padding_and_cutout_an_image_is_itself_or_its_mirror(shape, seed):
    images = torch.randint(0, 256, shape, generator=seeded(seed), dtype=torch.uint8)
    changed = augment(images, Augmentation(crop=0), seeded(seed), one_colour((0.5,) * shape[1]))
    for before, after in zip(images, changed, strict=True):
        assert after.equal(before) or after.equal(before.flip(2))


def test_half_of_the_images_are_mirrored():
    images = torch.arange(4, dtype=torch.uint8).expand(2000, 1, 1, 4)
    changed = augment(images, Augmentation(crop=0), seeded(), torch.zeros(1, dtype=torch.uint8))
    assert 0.45 < (changed[:, 0, 0, 0] == 3).float().mean() < 0.55


def test_crops_are_shifts_by_at_most_the_padding_and_reach_it():
    images = torch.zeros(500, 1, 16, 16, dtype=torch.uint8)
    images[:, 0, 8, 8] = 1
    changed = augment(
        images, Augmentation(crop=0.125, flip=False), seeded(), torch.zeros(1, dtype=torch.uint8)
    )
    _, _, rows, columns = changed.nonzero(as_tuple=True)
    assert len(rows) == 500
    assert set(rows.tolist()) == set(columns.tolist()) == {6, 7, 8, 9, 10}


def test_cutout_paints_one_square():
    images = torch.zeros(300, 3, 8, 8)
    how = Augmentation(crop=0, flip=False, cutout=0.5)
    painted = augment(images, how, seeded(), torch.ones(3)).sum((2, 3))
    assert painted.max() == 16
    assert painted.min() >= 4
    assert painted[:, 0].equal(painted[:, 2])


def test_fractions_are_checked():
    with pytest.raises(ValueError, match="crop is a fraction of the image's side, from 0 to 1; got 4"):
        Augmentation(crop=4)
