import base64
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hwnas.oracles import read_nasbench101, read_nasbench101_json
from hwnas.oracles.tfrecord import MAX_RECORD, masked_crc32c, read_records
from hwnas.spaces.nasbench101 import NASBench101

MATRIX = [
    [0, 1, 1, 1, 0, 1, 0],
    [0, 0, 0, 0, 0, 0, 1],
    [0, 0, 0, 0, 0, 0, 1],
    [0, 0, 0, 0, 1, 0, 0],
    [0, 0, 0, 0, 0, 0, 1],
    [0, 0, 0, 0, 0, 0, 1],
    [0, 0, 0, 0, 0, 0, 0],
]
OPERATIONS = ["input", "conv1x1-bn-relu", *["conv3x3-bn-relu"] * 3, "maxpool3x3", "output"]
INCEPTION = (
    "conv1x1-bn-relu~0+conv3x3-bn-relu~0+conv3x3-bn-relu~0+conv3x3-bn-relu~3+maxpool3x3~0+output~1~2~4~5"
)
SMALL = "maxpool3x3~0+output~0~1"


def crc32c(data: bytes) -> int:
    """Bit by bit, as its polynomial defines it."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def masked(data: bytes) -> int:
    crc = crc32c(data)
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def frame(data: bytes) -> bytes:
    length = struct.pack("<Q", len(data))
    return length + struct.pack("<I", masked(length)) + data + struct.pack("<I", masked(data))


def evaluation(*values: float) -> bytes:
    """Fields 1 to 5, each a double."""
    content = b"".join(
        bytes([number << 3 | 1]) + struct.pack("<d", value) for number, value in enumerate(values, 1)
    )
    content += b"\x32\x04ckpt"
    return bytes([1 << 3 | 2, len(content)]) + content


def metrics(*accuracies: float, params: int = 300, seconds: float = 100.0) -> str:
    """Evaluations at the start, half way and at the end; field 2 a varint, field 3 a double."""
    message = evaluation(0, 0, 0.1, 0.1, 0.1) + evaluation(54, 50, 0.5, 0.5, 0.5)
    message += evaluation(108, seconds, *accuracies)
    message += bytes([2 << 3, params & 127 | 128, params >> 7, 3 << 3 | 1]) + struct.pack("<d", 200.0)
    return base64.b64encode(message).decode()


def digits(matrix: list[list[int]]) -> str:
    return "".join(str(one) for row in matrix for one in row)


def record(*fields: Any) -> bytes:
    return frame(json.dumps(fields).encode())


RECORDS = [
    record("a1", 108, digits(MATRIX), ",".join(OPERATIONS), metrics(1.0, 0.94, 0.93, seconds=100.0)),
    record("b2", 108, "011001000", "input,maxpool3x3,output", metrics(0.9, 0.8, 0.7, params=1000)),
    record("a1", 4, digits(MATRIX), ",".join(OPERATIONS), metrics(0.4, 0.3, 0.2)),
    record("a1", 108, digits(MATRIX), ",".join(OPERATIONS), metrics(1.0, 0.92, 0.91, seconds=120.0)),
]


def write(folder: Path, content: bytes, name: str = "nasbench.tfrecord") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def test_means_of_the_runs(tmp_path: Path) -> None:
    table = read_nasbench101(write(tmp_path, b"".join(RECORDS)))
    assert table.architectures == (INCEPTION, SMALL)
    assert table.column("validation_accuracy") == pytest.approx([0.93, 0.8])
    assert table.column("test_accuracy") == pytest.approx([0.92, 0.7])
    assert table.column("train_accuracy") == pytest.approx([1.0, 0.9])
    assert table.column("training_time_s") == pytest.approx([110.0, 100.0])
    assert table.column("params").tolist() == [300, 1000]


def test_the_cells_are_those_of_the_space(tmp_path: Path) -> None:
    space = NASBench101()
    for text in read_nasbench101(write(tmp_path, b"".join(RECORDS))).architectures:
        assert space.format(space.parse(text)) == text


def test_epochs(tmp_path: Path) -> None:
    path = write(tmp_path, b"".join(RECORDS))
    table = read_nasbench101(path, epochs=4)
    assert table.architectures == (INCEPTION,)
    assert table.column("test_accuracy") == pytest.approx([0.2])
    with pytest.raises(ValueError, match="has no runs of 12 epochs; it has 4, 108"):
        read_nasbench101(path, epochs=12)
    with pytest.raises(ValueError, match="has no runs of 108 epochs; it has none at all"):
        read_nasbench101(write(tmp_path, b""))


def test_the_checksum() -> None:
    assert crc32c(b"123456789") == 0xE3069283  # the published check value
    rows = [b"", b"123456789", b"\0" * 32, bytes(range(256)) * 3]
    assert masked_crc32c(rows).tolist() == [masked(row) for row in rows]


def test_records_beyond_one_batch(tmp_path: Path) -> None:
    contents = [str(number).encode() for number in range(5000)]
    framed = [frame(content) for content in contents]
    assert list(read_records(write(tmp_path, b"".join(framed)))) == contents
    framed[4500] = framed[4500][:-5] + b"x" + framed[4500][-4:]
    with pytest.raises(ValueError, match="record 4501 is damaged"):
        list(read_records(write(tmp_path, b"".join(framed))))


@pytest.mark.parametrize("position", range(0, len(RECORDS[0]), 7))
def test_a_wrong_bit_anywhere_is_found(tmp_path: Path, position: int) -> None:
    content = bytearray(RECORDS[0])
    content[position] ^= 4
    with pytest.raises(ValueError, match="record 1"):
        read_nasbench101(write(tmp_path, bytes(content)))


@pytest.mark.parametrize("missing", [1, 5, 100, len(RECORDS[1]) - 3])
def test_a_file_that_is_cut_off(tmp_path: Path, missing: int) -> None:
    content = RECORDS[0] + RECORDS[1]
    with pytest.raises(ValueError, match="record 2 is cut off"):
        read_nasbench101(write(tmp_path, content[:-missing]))


@pytest.mark.parametrize("length", [MAX_RECORD + 1, 1 << 40, (1 << 64) - 1])
def test_a_record_that_states_too_much(tmp_path: Path, length: int) -> None:
    header = struct.pack("<Q", length)
    with pytest.raises(ValueError, match=f"record 1 states {length} bytes"):
        read_nasbench101(write(tmp_path, header + struct.pack("<I", masked(header)) + b"data"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"architecture,accuracy\na,1\n", "no TFRecord file"),
        (frame(b"\xff"), "record 1: "),
        (frame(b"{}"), "is not .hash, epochs"),
        (frame(b"[" * 9000), "record 1: "),
        (record("a", 108, "011", "input,output", metrics(1, 1, 1)), "'011' is no square matrix"),
        (record("a", 108, "0200", "input,output", metrics(1, 1, 1)), "no square matrix"),
        (record("a", 108, "0100", "input,gelu,output", metrics(1, 1, 1)), "gelu"),
        (record("a", 108, "0100", "input,output", "////"), "its metrics are damaged"),
        (record("a", 108, "0100", "input,output", ""), "no evaluation"),
        (record("a", 108, "0100", "input,output", metrics(1.0, 0.5)), "have no test_accuracy"),
    ],
)
def test_records_of_something_else(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        read_nasbench101(write(tmp_path, content))
    assert "\n" not in str(caught.value)


def entry(**fields: Any) -> dict[str, Any]:
    return {"module_adjacency": MATRIX, "module_operations": OPERATIONS, **fields}


SMALL_ENTRY = {"matrix": [[0, 1, 1], [0, 0, 1], [0, 0, 0]], "ops": ["input", "maxpool3x3", "output"]}


@pytest.mark.parametrize("by_hash", [True, False])
def test_json_exports(tmp_path: Path, by_hash: bool) -> None:
    entries = [
        entry(module_hash="a1", test_accuracy=0.93, validation_accuracy=[0.9, 0.95, 1.0], valid=True),
        {**SMALL_ENTRY, "test_accuracy": 0.7},
    ]
    data = dict(zip("ab", entries, strict=True)) if by_hash else entries
    table = read_nasbench101_json(write(tmp_path, json.dumps(data).encode(), "nasbench.json"))
    assert table.architectures == (INCEPTION, SMALL)
    np.testing.assert_allclose(table.column("test_accuracy"), [0.93, 0.7])
    np.testing.assert_allclose(table.column("validation_accuracy"), [0.95, np.nan])
    assert list(table.metrics) == ["test_accuracy", "validation_accuracy"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\xff", "not JSON in UTF-8"),
        (b"[", "not JSON in UTF-8"),
        (b"[" * 100_000, "not JSON in UTF-8"),
        (b"3", "a list of cells was expected"),
        (b"[]", "holds no results"),
        (b"[3]", "entry 1 is no cell"),
        (json.dumps({"b": {"test_accuracy": 1}}).encode(), "entry b: "),
        (
            json.dumps([{**SMALL_ENTRY, "ops": ["input", "gelu", "output"], "test_accuracy": 1}]).encode(),
            "gelu",
        ),
        (json.dumps([SMALL_ENTRY]).encode(), "no column of numbers"),
        (
            json.dumps([{**SMALL_ENTRY, "a": 1}, {**SMALL_ENTRY, "a": 2}]).encode(),
            "occurs twice, in rows 1 and 2",
        ),
    ],
)
def test_json_of_something_else(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        read_nasbench101_json(write(tmp_path, content, "nasbench.json"))
    assert "\n" not in str(caught.value)
