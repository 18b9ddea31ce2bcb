import pytest
from PIL import Image

from hwnas.training.datasets import load


def write(folder, count: int, colour, side: int = 8):
    folder.mkdir(parents=True)
    for number in range(count):
        Image.new("RGB", (side, side), colour).save(folder / f"{number}.png")


def test_a_folder_for_each_class(tmp_path):
    write(tmp_path / "red", 10, (255, 0, 0))
    write(tmp_path / "blue", 5, (0, 0, 255))
    (tmp_path / "red" / "notes.txt").write_text("not an image")
    data = load(tmp_path)
    assert data.classes == ("blue", "red")
    assert data.test_labels.tolist() == [0, 1, 1]
    assert (data.train_images[data.train_labels == 1][:, 0] == 255).all()
    assert (data.train_images[data.train_labels == 0][:, 2] == 255).all()


def test_train_and_test_folders(tmp_path):
    for part, count in (("train", 3), ("test", 2)):
        write(tmp_path / part / "a", count, (1, 1, 1))
        write(tmp_path / part / "b", count, (2, 2, 2), side=9)
    data = load(tmp_path, resolution=6)
    assert data.train_images.shape == (6, 3, 6, 6)
    assert data.test_labels.tolist() == [0, 0, 1, 1]
    with pytest.raises(ValueError, match=r"b.0\.png: the image is 9x9 and the first one 8x8"):
        load(tmp_path)


def test_bad_folders_are_explained(tmp_path):
    with pytest.raises(ValueError, match="holds no folders"):
        load(tmp_path)
    write(tmp_path / "a", 3, (1, 1, 1))
    with pytest.raises(ValueError, match="one class only"):
        load(tmp_path)
    (tmp_path / "b").mkdir()
    with pytest.raises(ValueError, match="b holds no images"):
        load(tmp_path)
    (tmp_path / "b" / "broken.png").write_bytes(b"nothing")
    (tmp_path / "b" / "broken2.png").write_bytes(b"nothing")
    with pytest.raises(ValueError, match=r"broken2?\.png: the image cannot be decoded"):
        load(tmp_path)


def test_a_class_that_only_the_test_part_has_is_named(tmp_path):
    for name in ("train/a", "train/b", "test/a", "test/c"):
        write(tmp_path / name, 2, (1, 1, 1))
    with pytest.raises(ValueError, match=r"has classes that .*train has not: c"):
        load(tmp_path)
