import io
import warnings

import numpy as np
import pytest
from PIL import Image

from hwnas.training.images import decode, decode_all, resize


def png(width: int, height: int, colour=(10, 20, 30), mode: str = "RGB") -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), colour).convert(mode).save(buffer, "PNG")
    return buffer.getvalue()


def test_channels_come_first_and_pixels_are_kept():
    image = decode(png(4, 2), "a")
    assert image.shape == (3, 2, 4)
    assert image[:, 0, 0].tolist() == [10, 20, 30]


def test_grey_images_become_rgb():
    assert decode(png(4, 4, (9, 9, 9), "L"), "a").shape == (3, 4, 4)


def test_a_resolution_cuts_the_middle_square():
    halves = np.zeros((10, 30, 3), dtype=np.uint8)
    halves[:, 10:20] = 200
    buffer = io.BytesIO()
    Image.fromarray(halves).save(buffer, "PNG")
    assert decode(buffer.getvalue(), "a", 10).min() == 200
    assert decode(buffer.getvalue(), "a", 5).shape == (3, 5, 5)


@pytest.mark.parametrize("damaged", [b"", b"not an image", png(8, 8)[:-30], png(8, 8)[:20]])
def test_damaged_images_are_named(damaged):
    with pytest.raises(ValueError, match="row 7: the image cannot be decoded"):
        decode(damaged, "row 7")


def test_a_postscript_file_is_no_image():
    with pytest.raises(ValueError, match="cannot be decoded"):
        decode(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n", "a")


@pytest.mark.parametrize("most", [100, 4000])
def test_a_decompression_bomb_is_refused(monkeypatch, most):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", most)
    with warnings.catch_warnings(), pytest.raises(ValueError, match=r"bomb\.png: the image"):
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        decode(png(70, 70), "bomb.png")


def test_sizes_must_agree_unless_a_resolution_is_given():
    items = [("first", png(4, 4)), ("second", png(6, 5))]
    with pytest.raises(ValueError, match="second: the image is 6x5 and the first one 4x4: give a resolution"):
        decode_all(items, 2, None)
    assert decode_all(items, 2, 8).shape == (2, 3, 8, 8)


def test_resizing_arrays_keeps_constant_images_constant():
    images = np.full((3, 1, 6, 10), 77, dtype=np.uint8)
    resized = resize(images, 4)
    assert resized.shape == (3, 1, 4, 4)
    assert (resized == 77).all()
