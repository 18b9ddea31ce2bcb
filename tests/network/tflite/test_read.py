import random
import struct

import flatbuffers
import numpy as np
import pytest
import tflite

from hwnas.network.program import UnsupportedOperatorError
from hwnas.network.quantise import placeholder
from hwnas.network.tflite import from_tflite, read, read_tflite, write_tflite
from hwnas.network.tflite.flatbuffer import Table
from tests.network.tflite.models import MODELS, model
from tests.network.tflite.odd_files import relu_file
from tests.network.tflite.programs import cell, chain


def test_a_file_of_the_schemas_own_writer():
    file = read_tflite(relu_file())
    [operator] = file.program.operators
    assert (operator.name, operator.kind, operator.inputs, operator.outputs) == ("RELU_0", "RELU", (0,), (1,))
    assert [tensor.shape for tensor in file.program.tensors] == [(1, 4), (1, 4)]
    assert file.quantisations == {} and file.constants == {}


def test_a_free_batch_is_one():
    assert read_tflite(relu_file(signature=(-1, 4))).program.tensors[0].shape == (1, 4)


@pytest.mark.parametrize(
    ("odd", "message"),
    [
        ({"external": True}, "external buffer"),
        ({"is_variable": True}, "variable"),
        ({"is_sparse": True}, "sparse"),
        ({"subgraphs": 2}, "2 subgraphs"),
        ({"subgraphs": 0}, "0 subgraphs"),
        ({"shape": (1, -1)}, "not fixed"),
        ({"shape": (1, 0)}, "not fixed"),
        ({"signature": (1, -1)}, "not fixed"),
        ({"shape": (1,) * 9}, "more than 8 axes"),
        ({"shape": (1, 2**30, 2**30)}, "more than 2147483648 elements"),
        ({"type_code": tflite.TensorType.STRING}, "is of string"),
        ({"type_code": 100}, "is of type 100"),
        ({"code": 126 + 2000}, "number 2126"),
        ({"reads": 1}, "tensor 1, which nothing before it makes"),
        ({"reads": 7}, r"tensors \(7,\), of 2"),
        ({"version": 2}, "schema version 2"),
        ({"output_shape": (1, 5)}, r"RELU_0: .*make \[\(1, 4\)\], not \[\(1, 5\)\]"),
    ],
)
def test_what_is_not_read_is_refused_with_the_reason(odd, message):
    with pytest.raises(ValueError, match=message):
        read_tflite(relu_file(**odd))


def test_custom_operators_are_named():
    with pytest.raises(UnsupportedOperatorError, match="'TFLite_Detection_PostProcess'"):
        read_tflite(relu_file(custom="TFLite_Detection_PostProcess"))


def test_operators_that_nothing_here_knows_are_read():
    [operator] = read_tflite(relu_file(code=tflite.BuiltinOperator.COS)).program.operators
    assert operator.kind == "COS"


@pytest.mark.parametrize("content", [b"", b"TFL3", b"\0" * 100, b"\x08\0\0\0ONNX" + b"\0" * 50])
def test_what_is_no_tflite_file(content, tmp_path):
    path = tmp_path / "net.tflite"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"net.tflite is not a .tflite file"):
        read_tflite(path)


def test_files_too_large_and_absent(tmp_path, monkeypatch):
    path = tmp_path / "net.tflite"
    path.write_bytes(relu_file())
    monkeypatch.setattr(read, "MAX_BYTES", 100)
    for source in (path, path.read_bytes()):
        with pytest.raises(ValueError, match="bytes are more than the 100"):
            read_tflite(source)
    with pytest.raises(FileNotFoundError):
        read_tflite(tmp_path / "absent.tflite")


def test_lists_that_overlap_are_not_believed():
    """A list of 1,000 tables that is a single table of 1,000 numbers."""
    b = flatbuffers.Builder(0)
    numbers = b.CreateNumpyVector(np.zeros(1000, np.int32))
    b.StartObject(1)
    b.PrependUOffsetTRelativeSlot(0, numbers, 0)
    inner = b.EndObject()
    b.StartVector(4, 1000, 4)
    for _ in range(1000):
        b.PrependUOffsetTRelative(inner)
    tables = b.EndVector()
    b.StartObject(1)
    b.PrependUOffsetTRelativeSlot(0, tables, 0)
    b.Finish(b.EndObject())
    found = Table.root(bytes(b.Output())).tables(0)
    with pytest.raises(ValueError, match="its lists overlap"):
        for table in found:
            table.numbers(0, np.int32)


@pytest.fixture(scope="module")
def victims():
    return [write_tflite(placeholder(program)) for program in (chain(4), cell(1), chain(7, "float32"))]


def attempt(data):
    """Whether damaged data is read; any error but ValueError is a failure of the test."""
    try:
        from_tflite(data)
    except ValueError:
        return False
    return True


def test_files_cut_off(victims):
    for data in victims:
        for length in range(0, len(data) - 16, len(data) // 97):
            assert not attempt(data[:length])


def test_damaged_files(victims):
    """Bytes and whole numbers anywhere, most of them offsets, lengths and sizes."""
    g = random.Random(0)
    outcomes = {True: 0, False: 0}
    for _ in range(1500):
        data = bytearray(g.choice(victims))
        for _ in range(g.choice([1, 1, 2, 8])):
            place = g.randrange(len(data))
            data[place] = g.choice([0, 1, 127, 128, 255, data[place] ^ (1 << g.randrange(8))])
        if g.random() < 0.3:
            number = g.choice([0, -1, 2**31 - 1, -(2**31), 2**24, 65536])
            struct.pack_into("<i", data, g.randrange(len(data) // 4) * 4, number)
        outcomes[attempt(bytes(data))] += 1
    assert min(outcomes.values()) > 100


@pytest.mark.parametrize("name", MODELS)
def test_third_party_models_have_their_order_and_numbers(name):
    data = model(name).read_bytes()
    file = read_tflite(data)
    graph = tflite.Model.GetRootAs(data).Subgraphs(0)
    assert len(file.program.tensors) == graph.TensorsLength()
    for index, operator in enumerate(file.program.operators):
        theirs = graph.Operators(index)
        assert operator.inputs == tuple(theirs.InputsAsNumpy().tolist())
        assert operator.outputs == tuple(theirs.OutputsAsNumpy().tolist())
        assert operator.name == f"{operator.kind}_{index}"
    for number, tensor in enumerate(file.program.tensors):
        theirs = graph.Tensors(number)
        assert tensor.shape == tuple(theirs.ShapeAsNumpy().tolist())
        assert tensor.name == theirs.Name().decode()
