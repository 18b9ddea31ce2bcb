import io
import json

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
from PIL import Image

from hwnas.training.datasets import load


def encoded(count: int, side: int = 8) -> list[bytes]:
    buffers = [io.BytesIO() for _ in range(count)]
    for value, buffer in enumerate(buffers):
        Image.new("RGB", (side, side), (value, 2 * value, 100)).save(buffer, "PNG")
    return [buffer.getvalue() for buffer in buffers]


def write(path, images, labels, metadata=None):
    table = pyarrow.table({"image": images, "label": labels})
    pyarrow.parquet.write_table(table.replace_schema_metadata(metadata), path, row_group_size=7)
    return path


LABELS = [row % 2 for row in range(20)]


def test_a_folder_of_train_and_test(tmp_path):
    write(tmp_path / "train.parquet", encoded(20), LABELS, {"classes": "even,odd"})
    write(tmp_path / "test.parquet", encoded(4), LABELS[:4])
    data = load(tmp_path)
    assert data.classes == ("even", "odd")
    assert data.train_images[:, 1, 0, 0].tolist() == [2 * row for row in range(20)]
    assert data.train_labels.tolist() == LABELS
    assert data.test_images.shape == (4, 3, 8, 8)
    assert data.mean[2] == pytest.approx(100 / 255)
    assert data.std[2] == 1 / 255


def test_structs_and_names_as_hugging_face_writes_them(tmp_path):
    features = {"label": {"names": ["even", "odd"], "_type": "ClassLabel"}}
    metadata = {"huggingface": json.dumps({"info": {"features": features}})}
    images = [{"bytes": image, "path": None} for image in encoded(20)]
    data = load(write(tmp_path / "set.parquet", images, LABELS, metadata))
    assert data.classes == ("even", "odd")
    assert len(data.train_images) == 16
    assert len(data.test_images) == 4


def test_a_limit_reads_the_rows_it_chose(tmp_path):
    path = write(tmp_path / "set.parquet", encoded(200), [row % 2 for row in range(200)])
    data = load(path, limit=10, seed=3)
    assert data.train_labels.bincount().tolist() == [5, 5]
    assert (data.train_images[:, 0, 0, 0] % 2).tolist() == data.train_labels.tolist()


def test_bad_files_are_explained(tmp_path):
    path = tmp_path / "set.parquet"
    path.write_bytes(b"PAR1 is all there is")
    with pytest.raises(ValueError, match=r"set\.parquet is not a readable parquet file"):
        load(path)
    pyarrow.parquet.write_table(pyarrow.table({"picture": [b""], "label": [0]}), path)
    with pytest.raises(ValueError, match=r"has no column image \(it has picture, label\)"):
        load(path)
    with pytest.raises(ValueError, match="the column image is string"):
        load(write(path, ["a", "b"], [0, 1]))
    with pytest.raises(ValueError, match="the column label is double"):
        load(write(path, encoded(2), [0.0, 1.0]))
    with pytest.raises(ValueError, match="row 3: the label is null"):
        load(write(path, encoded(4), [0, 1, 0, None]))
    with pytest.raises(ValueError, match="train, image 1: label 2 is out of range, it must be 0 to 1"):
        load(write(path, encoded(4), [0, 2, 0, 1], {"classes": "even,odd"}))


@pytest.mark.parametrize(("broken", "message"), [(None, "the image is null"), (b"x", "cannot be decoded")])
def test_a_bad_image_is_named_by_its_row(tmp_path, broken, message):
    images = encoded(20)
    images[13] = broken
    with pytest.raises(ValueError, match=f"row 13: {message}|row 13: the image {message}"):
        load(write(tmp_path / "set.parquet", images, LABELS))


def test_cifar10(cifar10):
    data = load(cifar10, limit=512)
    assert data.name == "cifar10"
    assert data.train_images.shape == data.test_images.shape == (512, 3, 32, 32)
    assert data.classes[:3] == ("airplane", "automobile", "bird")
    assert set(data.train_labels.bincount().tolist()) == {51, 52}
    np.testing.assert_allclose(data.mean, (0.491, 0.482, 0.447), atol=0.02)
    np.testing.assert_allclose(data.std, (0.247, 0.243, 0.262), atol=0.02)
    assert load(cifar10, limit=20, resolution=24).train_images.shape == (20, 3, 24, 24)
