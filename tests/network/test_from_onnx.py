import numpy as np
import pytest
from onnx import TensorProto, helper

from hwnas.network import UnknownOperatorError
from hwnas.network.from_onnx import from_onnx, onnx_weights, read_onnx

from .onnx_models import info, integers, model, node, stored

SHAPES = {"fixed 1": 1, "fixed 8": 8, "free": "n", "unnamed": None}


@pytest.mark.parametrize("batch", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("first", ["-1", "0", "batch"])
def test_a_reshape_may_name_the_batch_in_any_way(first: str, batch: object) -> None:
    head = {"-1": -1, "0": 0, "batch": batch if isinstance(batch, int) else 1}[first]
    read = from_onnx(
        model(
            [node("Reshape", ["x", "s"], ["r"]), node("Relu", ["r"], ["y"])],
            [info("x", [batch, 4, 6, 6])],
            tensors=[integers("s", head, 144)],
        )
    )
    assert read.outputs[0].shape == (144,)
    assert read.layers[0].attributes["shape"] == (0, 144)


@pytest.mark.parametrize("batch", SHAPES.values(), ids=SHAPES)
def test_a_reshape_to_computed_shapes(batch: object) -> None:
    """x.reshape(x.shape[0], 2, -1) as exporters write it."""
    nodes = [
        node("Shape", ["x"], ["shape"]),
        node("Gather", ["shape", "zero"], ["n"], axis=0),
        node("Unsqueeze", ["n", "axes"], ["n1"]),
        node("Concat", ["n1", "two", "rest"], ["target"], axis=0),
        node("Reshape", ["x", "target"], ["y"]),
    ]
    tensors = [stored("zero", 0, np.int64), integers("axes", 0), integers("two", 2), integers("rest", -1)]
    assert from_onnx(model(nodes, [info("x", [batch, 4, 6, 6])], tensors=tensors)).outputs[0].shape == (2, 72)


@pytest.mark.parametrize("target", [(4, 36), (2, 72), (-1, 36), (16, -1)])
def test_a_reshape_that_mixes_the_batch_is_an_error(target: tuple[int, ...]) -> None:
    proto = model(
        [node("Reshape", ["x", "s"], ["y"])], [info("x", [8, 4, 6, 6])], tensors=[integers("s", *target)]
    )
    with pytest.raises(ValueError, match=r"mixes the batch|144 elements into"):
        from_onnx(proto)


def test_unknown_operators_are_all_named() -> None:
    nodes = [
        node("Relu", ["x"], ["a"]),
        node("NonZero", ["a"], ["b"], name="where"),
        node("Relu", ["b"], ["c"], domain="com.example"),
        node("Einsum", ["c"], ["y"], equation="ij->ij", name="sum"),
    ]
    with pytest.raises(
        UnknownOperatorError,
        match=r"Einsum \(first in 'sum'\).*NonZero \(first in 'where'\).*com.example.Relu",
    ):
        from_onnx(model(nodes))


def test_unknown_operators_are_left_out_where_asked_for() -> None:
    nodes = [
        node("Relu", ["x"], ["a"]),
        node("NonZero", ["a"], ["b"], name="odd"),
        node("Relu", ["b"], ["y"]),
    ]
    reading = read_onnx(model(nodes, stated=[info("b", [1, 5])]), exclude_unknown=True)
    assert reading.excluded == ("odd (NonZero)",)
    assert [layer.op for layer in reading.network.layers] == ["Relu", "Relu"]
    assert [v.shape for v in reading.network.inputs] == [(4, 6, 6), (5,)]
    with pytest.raises(UnknownOperatorError, match="does not state the shape of 'b'"):
        read_onnx(model(nodes), exclude_unknown=True)


def test_integer_inputs() -> None:
    ids = info("ids", [1, 7], TensorProto.INT64)
    nodes = [node("Gather", ["table", "ids"], ["e"], name="embed"), node("Relu", ["e"], ["y"])]
    table = stored("table", np.zeros((10, 3)))
    with pytest.raises(ValueError, match="'ids' holds INT64"):
        from_onnx(model(nodes, [ids], tensors=[table]))
    reading = read_onnx(
        model(nodes, [ids], tensors=[table], stated=[info("e", [1, 7, 3])]), exclude_unknown=True
    )
    assert reading.excluded == ("embed (Gather)",)
    assert [v.shape for v in reading.network.inputs] == [(7, 3)]


@pytest.mark.parametrize(
    ("message", "make"),
    {
        "free dimension": lambda: model([node("Relu", ["x"], ["y"])], [info("x", ["n", 4, "h", 6])]),
        "free dimension ": lambda: model([node("Relu", ["x"], ["y"])], [info("x", None)]),
        "no inputs": lambda: model([node("Relu", ["x"], ["y"])], [], tensors=[stored("x", [1.0])]),
        "lacks layers": lambda: model([]),
        "lacks layers, outputs": lambda: model([node("Relu", ["x"], ["y"])], outputs=[]),
        "cycle through": lambda: model(
            [node("Add", ["x", "b"], ["a"]), node("Relu", ["a"], ["b"]), node("Relu", ["b"], ["y"])]
        ),
        "defined twice": lambda: model([node("Relu", ["x"], ["y"]), node("Neg", ["x"], ["y"])]),
        "'x' is defined twice": lambda: model([node("Relu", ["x"], ["x"])], outputs=["x"]),
        "nothing defines": lambda: model([node("Conv", ["x", "w"], ["y"])]),
        "nowhere defined": lambda: model([node("Relu", ["z"], ["y"])]),
        "not computed from the input": lambda: model([node("Relu", ["x"], ["a"])], outputs=["b"]),
        "batches of": lambda: model([node("Add", ["x", "z"], ["y"])], [info("x", [1, 3]), info("z", [2, 3])]),
        "positive size": lambda: model([node("Relu", ["x"], ["y"])], [info("x", [-3, 3])]),
        "does not fit ONNX's Relu": lambda: model([node("Relu", ["x", "x"], ["y"])]),
        "does not fit ONNX's Conv": lambda: model([node("Conv", ["x"], ["y"])]),
        "does not fit ONNX's Concat": lambda: model([node("Concat", ["x"], ["y"], axis=1.5)]),
        "opset 6": lambda: model([node("Relu", ["x"], ["y"])], opset=6),
        "holds INT8": lambda: model([node("Relu", ["x"], ["y"])], [info("x", [1, 3], TensorProto.INT8)]),
        "rounds its input": lambda: model([node("Cast", ["x"], ["y"], to=TensorProto.INT32)]),
        "axis 0 is the batch": lambda: model([node("Concat", ["x", "x"], ["y"], axis=0)]),
        "mix the batch": lambda: model(
            [node("Add", ["x", "c"], ["y"])], tensors=[stored("c", np.ones((2, 4, 1, 1)))]
        ),
        "different rank": lambda: model(
            [node("Add", ["x", "z"], ["y"])], [info("x", [1, 6]), info("z", [1, 4, 6])]
        ),
        "must stay the first": lambda: model([node("Transpose", ["x"], ["y"], perm=[1, 0, 2, 3])]),
        "more than 2147483648": lambda: model([node("Relu", ["x"], ["y"])], [info("x", [1, 2**20, 2**20])]),
        "constants only": lambda: model([node("Equal", ["x", "x"], ["y"])]),
        "no static shape": lambda: model(
            [node("Reshape", ["x", "s"], ["y"])], [info("x", [1, 4]), info("s", [1])]
        ),
        "is damaged": lambda: model(
            [node("Conv", ["x", "w"], ["y"])], tensors=[_promised("w", [8, 4, 3, 3])]
        ),
        "a window of": lambda: model([node("MaxPool", ["x"], ["y"], kernel_shape=[-1, 2])]),
        "strides below 1": lambda: model(
            [node("MaxPool", ["x"], ["y"], kernel_shape=[2, 2], strides=[0, 1])]
        ),
        "the input": lambda: model([node("Identity", ["z"], ["y"])]),
    }.items(),
)
def test_what_cannot_be_read_is_a_value_error(message: str, make: object) -> None:
    with pytest.raises(ValueError, match=message.strip()):
        from_onnx(make().SerializeToString())


def _promised(name: str, dims: list[int]) -> TensorProto:
    tensor = TensorProto(name=name, data_type=TensorProto.FLOAT)
    tensor.dims.extend(dims)
    return tensor


def test_weights_transposed_or_reshaped_on_the_way() -> None:
    """`x @ w.T * g[:, None, None]`, as torch exports linear layers and layer scales."""
    w, g = np.arange(12, dtype=np.float32).reshape(3, 4), np.arange(1, 4, dtype=np.float32)
    nodes = [
        node("Transpose", ["w"], ["wt"], perm=[1, 0]),
        node("MatMul", ["x", "wt"], ["a"]),
        node("Reshape", ["g", "s"], ["g2"]),
        node("Mul", ["a", "g2"], ["y"]),
    ]
    proto = model(
        nodes, [info("x", [1, 5, 4])], tensors=[stored("w", w), stored("g", g), integers("s", 1, 3)]
    )
    network = from_onnx(proto)
    assert network.outputs[0].shape == (5, 3)
    first, second = onnx_weights(proto).values()
    np.testing.assert_array_equal(first, w.T)
    np.testing.assert_array_equal(second, g.reshape(1, 3))


def test_a_weight_shared_by_two_layers_is_one_parameter() -> None:
    nodes = [node("Conv", ["x", "w"], ["a"]), node("Conv", ["a", "w"], ["y"])]
    network = from_onnx(model(nodes, tensors=[stored("w", np.zeros((4, 4, 1, 1)))]))
    assert len(network.parameters) == 1
    assert network.layers[0].inputs[1] == network.layers[1].inputs[1]


def test_layers_out_of_order_are_put_in_order() -> None:
    nodes = [node("Relu", ["a"], ["y"]), node("Sigmoid", ["x"], ["a"])]
    assert [layer.op for layer in from_onnx(model(nodes)).layers] == ["Sigmoid", "Relu"]


def test_a_split_into_a_sequence() -> None:
    nodes = [
        node("SplitToSequence", ["x", "size"], ["parts"], axis=1),
        node("SequenceAt", ["parts", "first"], ["a"]),
        node("SequenceAt", ["parts", "last"], ["b"]),
        node("Concat", ["b", "a"], ["y"], axis=1),
    ]
    tensors = [stored(name, value, np.int64) for name, value in {"size": 3, "first": 0, "last": -1}.items()]
    network = from_onnx(model(nodes, tensors=tensors))
    assert [v.shape for v in network.layers[0].outputs] == [(3, 6, 6), (1, 6, 6)]
    first, last = (value.name for value in network.layers[0].outputs)
    assert network.layers[1].inputs == (last, first)


def test_names_become_paths() -> None:
    nodes = [
        node("Relu", ["x"], ["a"], name="/layer1/0/relu"),
        node("Relu", ["a"], ["b"], name="/layer1/0/relu"),
        node("Relu", ["b"], ["y"], name="odd name!"),
    ]
    names = [layer.name for layer in from_onnx(model(nodes)).layers]
    assert names == ["layer1.0.relu", "layer1.0.relu_1", "odd_name_"]


def test_resizes_of_opset_10_are_read() -> None:
    proto = model(
        [node("Resize", ["x", "scales"], ["y"], mode="nearest")],
        tensors=[stored("scales", [1, 1, 2, 2])],
        opset=10,
    )
    network = from_onnx(proto)
    assert network.outputs[0].shape == (4, 12, 12)
    assert network.layers[0].attributes["coordinate_transformation_mode"] == "asymmetric"


def test_old_softmax_over_several_axes_is_an_error() -> None:
    with pytest.raises(ValueError, match="several axes"):
        from_onnx(model([node("Softmax", ["x"], ["y"])], opset=11))
    assert (
        from_onnx(model([node("Softmax", ["x"], ["y"], axis=-1)], opset=11)).layers[0].attributes["axis"] == 3
    )


def test_subgraphs_are_named() -> None:
    inner = helper.make_graph([node("Relu", ["x"], ["z"])], "then", [], [info("z", [1, 4, 6, 6])])
    nodes = [node("If", ["c"], ["y"], then_branch=inner, else_branch=inner, name="maybe")]
    with pytest.raises(UnknownOperatorError, match=r"If \(first in 'maybe'\)"):
        from_onnx(model(nodes, tensors=[stored("c", True, np.bool_)]))
