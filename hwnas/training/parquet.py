"""Data sets of encoded images in parquet files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from hwnas.training.images import decode_all
from hwnas.training.source import MAX_BYTES, Indices, Source, Split

ROWS_AT_ONCE = 512


def open_parquet(path: Path, resolution: int | None) -> Source:
    """Open a parquet file, or a folder with `train.parquet` and perhaps `test.parquet`.

    Columns: `image` (the bytes of an image file, or a struct with a field `bytes`, as Hugging Face writes it)
    and `label` (integer). Class names come from the schema's metadata: `classes`, separated by commas, or
    Hugging Face's features. Raises ValueError for missing columns, other types, nulls and unreadable files.
    """
    if path.is_dir():
        test = path / "test.parquet"
        train = path / "train.parquet"
        classes = _classes(train)
        return Source(_split(train, resolution), _split(test, resolution) if test.exists() else None, classes)
    return Source(_split(path, resolution), None, _classes(path))


def _open(path: Path) -> Any:
    import pyarrow
    import pyarrow.parquet

    try:
        return pyarrow.parquet.ParquetFile(path)
    except (pyarrow.ArrowException, OSError) as error:
        raise ValueError(f"{path} is not a readable parquet file: {error}") from error


def _classes(path: Path) -> tuple[str, ...] | None:
    metadata = _open(path).schema_arrow.metadata or {}
    if b"classes" in metadata:
        return tuple(metadata[b"classes"].decode("utf-8", "replace").split(","))
    try:
        features = json.loads(metadata[b"huggingface"])["info"]["features"]
        return tuple(str(name) for name in features["label"]["names"])
    except (KeyError, TypeError, ValueError):
        return None


def _split(path: Path, resolution: int | None) -> Split:
    import pyarrow

    file = _open(path)
    _check_schema(file.schema_arrow, path)
    if file.metadata.num_rows > MAX_BYTES // 1024:
        raise ValueError(f"{path} states {file.metadata.num_rows} rows, more than {MAX_BYTES // 1024}")
    try:
        labels = file.read(columns=["label"]).column("label")
    except (pyarrow.ArrowException, OSError) as error:
        raise ValueError(f"{path}: the labels cannot be read: {error}") from error
    if labels.null_count:
        row = next(row for row, value in enumerate(labels) if not value.is_valid)
        raise ValueError(f"{path}, row {row}: the label is null")
    numbers = labels.to_numpy().astype(np.int64)
    return Split(numbers, lambda indices: decode_all(_items(path, indices), len(indices), resolution))


def _check_schema(schema: Any, path: Path) -> None:
    import pyarrow.types as types

    missing = [name for name in ("image", "label") if name not in schema.names]
    if missing:
        raise ValueError(
            f"{path} has no column {' and '.join(missing)} (it has {', '.join(schema.names)}): it needs "
            "image, the bytes of an image file, and label, an integer"
        )
    if not types.is_integer(schema.field("label").type):
        raise ValueError(f"{path}: the column label is {schema.field('label').type}; it must be an integer")
    image = schema.field("image").type
    if types.is_struct(image) and image.get_field_index("bytes") >= 0:
        image = image.field("bytes").type
    if not (types.is_binary(image) or types.is_large_binary(image)):
        raise ValueError(
            f"{path}: the column image is {image}; it must be binary, or a struct with a binary field bytes"
        )


def _items(path: Path, indices: Indices) -> Iterator[tuple[str, bytes]]:
    import pyarrow

    first = 0
    try:
        for rows in _open(path).iter_batches(batch_size=ROWS_AT_ONCE, columns=["image"]):
            wanted = indices[(indices >= first) & (indices < first + len(rows))]
            column = rows.column(0).take(pyarrow.array(wanted - first))
            for row, value in zip(wanted, column.to_pylist(), strict=True):
                yield f"{path}, row {row}", _bytes(value, path, int(row))
            first += len(rows)
    except (pyarrow.ArrowException, OSError) as error:
        raise ValueError(f"{path}: row {first} or one soon after it cannot be read: {error}") from error


def _bytes(value: Any, path: Path, row: int) -> bytes:
    encoded = value.get("bytes") if isinstance(value, dict) else value
    if not isinstance(encoded, bytes):
        raise ValueError(f"{path}, row {row}: the image is null; its bytes must be in the file")
    return encoded
