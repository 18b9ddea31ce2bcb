"""Files made to harm: always a ValueError, never a crash, a hang or a heap of memory."""

import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto

from hwnas.cost import count
from hwnas.network import Builder, Network
from hwnas.network.from_onnx import from_onnx, onnx_weights, read_onnx
from hwnas.network.to_onnx import to_onnx

from .onnx_models import info, integers, model, node, stored


def small() -> Network:
    b = Builder()
    x = b.input(3, 8, 8)
    x = b.relu(b.batch_norm(b.conv(x, 4, kernel=3, stride=2)))
    x = b.add(x, b.layers("Split", b.concat(x, x), axis=1, split=(4, 4))[1])
    return b.build(b.linear(b.global_average_pool(x), 5))


DATA = to_onnx(small(), batch=None).SerializeToString()


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(DATA) - 1))
def test_cut_off_anywhere(length: int) -> None:
    with pytest.raises(ValueError):
        from_onnx(DATA[:length])


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300))
def test_random_bytes(data: bytes) -> None:
    with pytest.raises(ValueError):
        from_onnx(data)


@settings(max_examples=1000, deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(DATA) - 1), st.integers(0, 255)), min_size=1, max_size=4))
def test_a_few_bytes_changed(changes: list[tuple[int, int]]) -> None:
    data = bytearray(DATA)
    for position, value in changes:
        data[position] = value
    for read in (
        lambda: from_onnx(bytes(data)),
        lambda: read_onnx(bytes(data), exclude_unknown=True).network,
    ):
        try:
            network = read()
        except ValueError:
            continue
        assert count(network).whole.macs >= 0
        assert len(network.key) == 32


numbers = st.integers(-(2**63), 2**63 - 1) | st.integers(-3, 9)


@settings(max_examples=300, deadline=None)
@given(
    op=st.sampled_from(
        ["Reshape", "Expand", "Slice", "Pad", "Unsqueeze", "Squeeze", "ReduceMean", "Split", "Resize"]
    ),
    first=st.lists(numbers, max_size=9),
    second=st.lists(numbers, max_size=9),
    axis=numbers,
)
def test_absurd_numbers_that_fix_shapes(op: str, first: list[int], second: list[int], axis: int) -> None:
    names = {"Slice": ["x", "a", "b"], "Resize": ["x", "", "", "a"]}.get(op, ["x", "a"])
    settings_ = {"axis": axis} if op == "Split" else {}
    proto = model(
        [node(op, names, ["y"], **settings_)],
        tensors=[integers("a", *first), integers("b", *second)],
        opset=18,
    )
    _read_or_refuse(proto)


@settings(max_examples=300, deadline=None)
@given(
    op=st.sampled_from(["Conv", "MaxPool", "AveragePool", "ConvTranspose"]),
    attributes=st.fixed_dictionaries(
        {},
        optional={
            "kernel_shape": st.lists(numbers, min_size=1, max_size=4),
            "strides": st.lists(numbers, min_size=1, max_size=4),
            "pads": st.lists(numbers, min_size=1, max_size=6),
            "dilations": st.lists(numbers, min_size=1, max_size=4),
            "group": numbers,
            "ceil_mode": numbers,
            "auto_pad": st.sampled_from(["SAME_UPPER", "VALID", "NONSENSE"]),
        },
    ),
)
def test_absurd_windows(op: str, attributes: dict[str, object]) -> None:
    inputs = ["x", "w"] if "Conv" in op else ["x"]
    proto = model(
        [node(op, inputs, ["y"], **attributes)], tensors=[stored("w", np.zeros((4, 4, 3, 3)))], opset=19
    )
    _read_or_refuse(proto)


def _read_or_refuse(proto: onnx.ModelProto) -> None:
    try:
        network = from_onnx(proto.SerializeToString())
    except ValueError:
        return
    assert count(network).whole.params >= 0


def _chain(nodes: list[onnx.NodeProto], *tensors: TensorProto) -> onnx.ModelProto:
    return model([*nodes, node("Reshape", ["x", "big"], ["y"])], tensors=tensors)


BOMBS = {
    "range": lambda: _chain(
        [node("Range", ["a", "b", "c"], ["big"])],
        *(stored(n, v, np.int64) for n, v in {"a": 0, "b": 2**62, "c": 1}.items()),
    ),
    "range without end": lambda: _chain(
        [node("Range", ["a", "b", "c"], ["big"])],
        *(stored(n, v, np.int64) for n, v in {"a": 0, "b": 9, "c": 0}.items()),
    ),
    "endless range": lambda: _chain(
        [node("Range", ["a", "b", "c"], ["big"])],
        *(stored(n, v) for n, v in {"a": 0.0, "b": float("inf"), "c": 1.0}.items()),
    ),
    "expand": lambda: _chain(
        [node("Expand", ["a", "b"], ["big"])], integers("a", 1), integers("b", 2**20, 2**20)
    ),
    "filled": lambda: _chain(
        [node("ConstantOfShape", ["b"], ["big"], value=integers("v", 7))], integers("b", 2**20, 2**20)
    ),
    "tile": lambda: _chain([node("Tile", ["a", "b"], ["big"])], integers("a", 1), integers("b", 2**40)),
    "outer sum": lambda: _chain(
        [node("Add", ["a", "b"], ["big"])],
        stored("a", np.zeros((1, 60000)), np.int64),
        stored("b", np.zeros((60000, 1)), np.int64),
    ),
    "doubling": lambda: _chain(
        [node("Concat", [f"v{i}", f"v{i}"], [f"v{i + 1}" if i < 59 else "big"], axis=0) for i in range(60)],
        integers("v0", 1),
    ),
    "many": lambda: _chain(
        [node("Expand", ["a", "b"], [f"v{i}" if i else "big"]) for i in range(5000)],
        integers("a", 1),
        integers("b", 65000),
    ),
    "gather": lambda: _chain(
        [node("Gather", ["a", "a"], ["b"]), node("Gather", ["m", "a"], ["big"])],
        integers("a", *[0] * 60000),
        stored("m", np.zeros((1, 60000)), np.int64),
    ),
    "split": lambda: model([node("Split", ["x"], ["y"], axis=1, num_outputs=2**40)], opset=18),
    "filled activation": lambda: model(
        [node("ConstantOfShape", ["s"], ["c"]), node("Add", ["x", "c"], ["y"])],
        tensors=[integers("s", 1, 2**40, 2**20)],
    ),
    "rank": lambda: model([node("Unsqueeze", ["x", "s"], ["y"])], tensors=[integers("s", *range(1, 4000))]),
    "axes": lambda: model([node("Relu", ["x"], ["y"])], [info("x", [1, *[2] * 20000])]),
    "huge sizes": lambda: model([node("Relu", ["x"], ["y"])], [info("x", [1, *[2**62] * 30000])]),
    "promised weights": lambda: model(
        [node("Conv", ["x", "w"], ["y"])], tensors=[_hollow("w", [2**29, 4, 1, 1])]
    ),
}


def _hollow(name: str, dims: list[int]) -> TensorProto:
    tensor = TensorProto(name=name, data_type=TensorProto.FLOAT, raw_data=b"\0" * 16)
    tensor.dims.extend(dims)
    return tensor


@pytest.mark.parametrize("name", BOMBS)
def test_bombs(name: str, tmp_path: Path) -> None:
    """In a process of 1.5 GB of address space beyond what the imports take, and 20 seconds."""
    path = tmp_path / "bomb.onnx"
    path.write_bytes(BOMBS[name]().SerializeToString())
    program = (
        "import sys, resource, hwnas.network.from_onnx as f\n"
        "used = int(open('/proc/self/statm').read().split()[0]) * resource.getpagesize()\n"
        "resource.setrlimit(resource.RLIMIT_AS, (used + 3 * 2**29,) * 2)\n"
        "try: f.from_onnx(sys.argv[1])\n"
        "except ValueError as error: print('refused', error)\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", program, str(path)], capture_output=True, text=True, timeout=20, check=False
    )
    assert run.stdout.startswith("refused"), run.stderr[-500:]


def test_a_deep_chain_is_no_recursion() -> None:
    depth = 10_000
    names = ["x", *(f"v{i}" for i in range(depth - 1)), "y"]
    nodes = [node("Relu", [a], [b], name="relu") for a, b in pairwise(names)]
    network = from_onnx(model(nodes).SerializeToString())
    assert len(network.layers) == depth
    assert count(network).live.elementwise == depth * 144
    assert len(network.key) == 32
    assert len(from_onnx(model(nodes[::-1]).SerializeToString()).layers) == depth


@pytest.mark.parametrize(
    "location", ["../secret.bin", "/etc/passwd", "missing.bin", "", "folder/../../secret.bin", "link"]
)
def test_external_data_outside_the_folder(location: str, tmp_path: Path) -> None:
    folder = tmp_path / "models"
    folder.mkdir()
    (tmp_path / "secret.bin").write_bytes(np.ones(16, dtype=np.float32).tobytes())
    (folder / "link").symlink_to(tmp_path / "secret.bin")
    path = folder / "model.onnx"
    path.write_bytes(_with_external(location).SerializeToString())
    assert len(from_onnx(path).parameters) == 1
    with pytest.raises(ValueError, match="tensor 'w'"):
        onnx_weights(path)


def test_external_data_inside_the_folder(tmp_path: Path) -> None:
    values = np.arange(16, dtype=np.float32)
    (tmp_path / "w.bin").write_bytes(values.tobytes())
    (tmp_path / "short.bin").write_bytes(values[:3].tobytes())
    for location in ("w.bin", "short.bin"):
        (tmp_path / location).with_suffix(".onnx").write_bytes(_with_external(location).SerializeToString())
    (found,) = onnx_weights(tmp_path / "w.onnx").values()
    np.testing.assert_array_equal(found.ravel(), values)
    with pytest.raises(ValueError, match="'w'"):
        onnx_weights(tmp_path / "short.onnx")


def _with_external(location: str) -> onnx.ModelProto:
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, data_location=TensorProto.EXTERNAL)
    tensor.dims.extend([4, 4, 1, 1])
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", location
    return model([node("Conv", ["x", "w"], ["y"])], tensors=[tensor])


def test_a_constant_in_another_file(tmp_path: Path) -> None:
    tensor = _with_external("/etc/passwd").graph.initializer[0]
    proto = model([node("Constant", [], ["w"], value=tensor), node("Conv", ["x", "w"], ["y"])])
    with pytest.raises(ValueError, match="lies in another file"):
        from_onnx(proto.SerializeToString())
