import io
import zipfile

import numpy as np
import pytest

from hwnas.training.datasets import load

LABELS = np.arange(20) % 2


def pixels(count: int = 20, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, 8, 8, 3), dtype=np.uint8)


@pytest.fixture
def save(tmp_path):
    def write(**arrays):
        path = tmp_path / "set.npz"
        np.savez(path, **arrays)
        return path

    return write


def with_test(images, labels=LABELS):
    return {"images": images, "labels": labels, "test_images": images, "test_labels": labels}


def test_channels_last_and_channels_first_are_the_same_set(save):
    last = load(save(**with_test(pixels())))
    first = load(save(**with_test(pixels().transpose(0, 3, 1, 2))))
    assert last.train_images.equal(first.train_images)
    assert last.train_images.shape == (20, 3, 8, 8)
    assert last.train_images[5, 2, 3, 4] == pixels()[5, 3, 4, 2]
    assert last.name == "set"
    assert last.classes == ("0", "1")


@pytest.mark.parametrize("scale", [1, 255])
def test_floats_become_the_same_bytes(save, scale):
    data = load(save(**with_test(pixels().astype(np.float32) / 255 * scale)))
    assert data.train_images.equal(load(save(**with_test(pixels()))).train_images)


def test_grey_images_keep_one_channel_and_compressed_files_are_read(tmp_path):
    np.savez_compressed(tmp_path / "grey.npz", **with_test(pixels()[..., 0]))
    data = load(tmp_path / "grey.npz", resolution=4)
    assert data.train_images.shape == (20, 1, 4, 4)
    assert len(data.mean) == 1


def test_a_fifth_is_held_out_of_each_class(save):
    images = pixels(100)
    path = save(images=images, labels=np.arange(100) % 5)
    data = load(path, seed=1)
    assert data.test_labels.bincount().tolist() == [4] * 5
    assert data.train_labels.bincount().tolist() == [16] * 5
    train = {image.numpy().tobytes() for image in data.train_images}
    test = {image.numpy().tobytes() for image in data.test_images}
    assert len(train | test) == 100
    assert load(path, seed=1).test_images.equal(data.test_images)
    assert not load(path, seed=2).test_images.equal(data.test_images)


def test_class_names_are_read(save):
    data = load(save(images=pixels(), labels=LABELS, classes=np.array(["cat", "dog"])))
    assert data.classes == ("cat", "dog")


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"x": pixels()}, "has no array images and labels .it has x."),
        ({"images": pixels()}, "has no array labels"),
        ({"images": pixels(), "labels": LABELS, "test_images": pixels()}, "only one of test_images"),
        ({"images": pixels(), "labels": LABELS[:9]}, r"labels must be integers of shape \(20,\)"),
        ({"images": pixels(), "labels": LABELS / 2}, "labels must be integers"),
        ({"images": pixels(), "labels": LABELS + 1}, "labels must be 0 to 1"),
        ({"images": pixels(), "labels": LABELS * 10**9}, "labels must be 0 to 1"),
        ({"images": pixels(), "labels": LABELS * 0}, "one class only"),
        (
            {"images": pixels(), "labels": LABELS, "classes": np.array(["a"])},
            "image 1: label 1 is out of range",
        ),
        ({"images": pixels()[:0], "labels": LABELS[:0]}, "no train images"),
        ({"images": pixels().astype(int), "labels": LABELS}, "give uint8, or floats"),
        ({"images": pixels() - 128.0, "labels": LABELS}, r"outside \[0, 255\]"),
        ({"images": pixels() * np.nan, "labels": LABELS}, r"outside \[0, 255\]"),
        ({"images": np.zeros((20, 5, 5, 5), np.uint8), "labels": LABELS}, "channels cannot be told"),
        ({"images": np.zeros((20, 5), np.uint8), "labels": LABELS}, "have shape"),
        ({"images": np.array([{}] * 20), "labels": LABELS}, "Python objects"),
        ({**with_test(pixels()), "test_labels": LABELS + 1}, "test, image 1: label 2 is out of range"),
    ],
)
def test_bad_archives_are_explained(save, arrays, message):
    with pytest.raises(ValueError, match=message):
        load(save(**arrays))


def test_a_file_that_is_no_archive_is_named(tmp_path):
    (tmp_path / "a.npz").write_bytes(b"PK\x03\x04 nothing")
    with pytest.raises(ValueError, match=r"a\.npz is not a readable .npz archive"):
        load(tmp_path / "a.npz")


def test_a_stated_shape_is_not_believed(tmp_path):
    header = io.BytesIO()
    description = {"descr": "|u1", "fortran_order": False, "shape": (10**9, 32, 32, 3)}
    np.lib.format.write_array_header_1_0(header, description)
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("images.npy", header.getvalue() + b"1234")
    with pytest.raises(ValueError, match=r"images\.npy states shape"):
        load(tmp_path / "a.npz")
