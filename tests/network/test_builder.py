import pytest

from hwnas.network import Builder, Network, UnknownOperatorError, Value


def test_shapes_names_and_parameters() -> None:
    b = Builder()
    x = b.input(3, 33, 33)
    x = b.relu(b.batch_norm(b.conv(x, 16, kernel=3, stride=2)))
    x = b.max_pool(b.conv(x, 8, bias=True), kernel=2, stride=2)
    network = b.build(b.linear(x, 10))
    assert [layer.name for layer in network.layers] == [
        "conv", "bn", "relu", "conv_1", "max_pool", "flatten", "linear",
    ]  # fmt: skip
    assert [layer.output.shape for layer in network.layers] == [
        (16, 17, 17), (16, 17, 17), (16, 17, 17), (8, 17, 17), (8, 8, 8), (512,), (10,),
    ]  # fmt: skip
    assert {name: p.shape for name, p in network.parameters.items()} == {
        "conv.weight": (16, 3, 3, 3),
        "bn.weight": (16,),
        "bn.bias": (16,),
        "bn.running_mean": (16,),
        "bn.running_var": (16,),
        "conv_1.weight": (8, 16, 1, 1),
        "conv_1.bias": (8,),
        "linear.weight": (10, 512),
        "linear.bias": (10,),
    }
    assert [p.trainable for p in network.parameters.values()] == [True] * 3 + [False] * 2 + [True] * 4
    assert str(network) == "Network(7 layers, input 3×33×33)"


def _unit(b: Builder, x: Value, *, channels: int) -> Value:
    return b.relu(b.conv(x, channels))


def _pair(b: Builder, x: Value) -> tuple[Value, Value]:
    return b.relu(x), b.block("unit", _unit, x, channels=2)


def _wire(b: Builder, x: Value) -> Value:
    return x


def test_equal_blocks_are_one_network() -> None:
    b = Builder()
    x = b.input(4, 5, 5)
    x = b.block("stage.block0", _unit, x, channels=4)
    x = b.block("stage.block1", _unit, x, channels=4)
    network = b.build(b.relu(b.block("last", _unit, x, channels=2)))
    assert [layer.name for layer in network.layers][:2] == ["stage.block0.conv", "stage.block0.relu"]
    assert network.layers[2].block == "stage.block1"
    assert network.layers[2].inputs == ("stage.block0.relu", "stage.block1.conv.weight")
    assert [path for path, _ in network.blocks()] == ["stage.block0", "stage.block1", "last", "relu"]
    assert sorted(network.block_counts.values()) == [1, 1, 2]
    assert network.outputs[0].shape == (2, 5, 5)


def test_blocks_of_several_outputs_and_of_none() -> None:
    b = Builder()
    x = b.block("wire", _wire, b.input(4, 5, 5))
    left, right = b.block("pair", _pair, x)
    network = b.build(b.concat(left, right), right)
    assert [layer.name for layer in network.layers] == [
        "pair.relu",
        "pair.unit.conv",
        "pair.unit.relu",
        "concat",
    ]
    assert network.layers[-1].inputs == ("pair.relu", "pair.unit.relu")
    assert [v.name for v in network.flat_outputs] == ["concat", "pair.unit.relu"]
    assert network.layers[0].inputs == ("input",)


def add(op: str, *shapes: tuple[int, ...], **attributes: object) -> Network:
    b = Builder()
    return b.build(b.layer(op, *(b.input(*shape) for shape in shapes), **attributes))


@pytest.mark.parametrize(
    ("message", "op", "shapes", "attributes"),
    [
        (
            r"Add does not accept inputs of shapes \[\(3, 4, 4\), \(2, 4, 4\)\]",
            "Add",
            [(3, 4, 4), (2, 4, 4)],
            {},
        ),
        ("mix the batch", "Add", [(3, 4, 4), (4,)], {}),
        ("the other axes differ", "Concat", [(3, 4, 4), (3, 5, 4)], {"axis": 1}),
        ("no 'axis'", "Concat", [(3, 4, 4)], {}),
        ("axis 0 is the batch", "Softmax", [(3,)], {"axis": 0}),
        ("does not fit into 4", "MaxPool", [(3, 4, 4)], {"kernel_shape": (5, 5)}),
        ("kernel_shape is missing", "MaxPool", [(3, 4, 4)], {}),
        ("8 elements into", "Reshape", [(8,)], {"shape": (0, 3, 3)}),
        ("must stay the batch", "Reshape", [(8,)], {"shape": (8,)}),
        ("gives an empty output", "Slice", [(8,)], {"axes": (1,), "starts": (5,), "ends": (5,)}),
        ("no permutation", "Transpose", [(3, 4)], {"perm": (0, 1, 1)}),
        ("not all of size 1", "Squeeze", [(3, 4)], {"axes": (1,)}),
        (r"parts \(1, 1\) of 3", "Split", [(3,)], {"axis": 1, "split": (1, 1)}),
        ("cannot be padded", "Pad", [(3,)], {"pads": (1, 0, 0, 0)}),
    ],
)
def test_misfits_are_named(message: str, op: str, shapes: list[tuple[int, ...]], attributes: dict) -> None:
    with pytest.raises(ValueError, match=message):
        add(op, *shapes, **attributes)


def test_other_errors() -> None:
    b = Builder()
    x = b.input(3, 4, 4)
    with pytest.raises(UnknownOperatorError, match="operator Swish is not known"):
        b.layer("Swish", x)
    with pytest.raises(ValueError, match="at least one output"):
        b.build()
    with pytest.raises(ValueError, match="do not divide into 2 groups"):
        b.conv(x, 4, groups=2)
    with pytest.raises(ValueError, match="is a parameter, not a value"):
        b.layer("Relu", b.parameter("p", (3, 4, 4)))
    with pytest.raises(ValueError, match="reads parameters only"):
        b.layer("Add", b.parameter("p", (3,)), b.parameter("q", (3,)))
