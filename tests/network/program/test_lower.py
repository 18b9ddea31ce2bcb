"""Networks as programs: what is folded, fused, left out, padded and refused."""

import math

import pytest

from hwnas.cost import count
from hwnas.network.builder import Builder
from hwnas.network.network import Network
from hwnas.network.program import Program, UnsupportedOperatorError, lower
from hwnas.spaces import space

SPACES = (
    "mobilenetv2:resolution=96,classes=10",
    "nasbench201",
    "nasbench101",
    "proxylessnas:resolutions=(160,),classes=10",
    "ofa_mobilenetv3:resolutions=(128,)",
    "fbnet",
)


def kinds(program: Program) -> list[str]:
    return [operator.kind for operator in program.operators]


def macs(program: Program) -> int:
    """Multiply-accumulates of convolutions and fully connected operators, from the tensors' shapes alone."""
    total = 0
    for operator in program.operators:
        if operator.kind in ("CONV_2D", "FULLY_CONNECTED"):
            weight = program.tensors[operator.inputs[1]]
            total += program.tensors[operator.outputs[0]].size * math.prod(weight.shape[1:])
        elif operator.kind == "DEPTHWISE_CONV_2D":
            weight = program.tensors[operator.inputs[1]]
            total += program.tensors[operator.outputs[0]].size * math.prod(weight.shape[1:3])
    return total


def small(stride: int = 1, *, residual: bool = False) -> Network:
    b = Builder()
    x = b.relu6(b.batch_norm(b.conv(b.input(3, 8, 8), 4, kernel=3, stride=stride)))
    if residual:
        x = b.relu(b.add(x, b.conv(x, 4)))
    return b.build(b.linear(b.global_average_pool(x), 5))


def test_normalisation_and_activation_become_part_of_the_convolution() -> None:
    program = lower(small())
    assert kinds(program) == ["CONV_2D", "AVERAGE_POOL_2D", "FULLY_CONNECTED"]
    convolution = program.operators[0]
    assert convolution.activation == "RELU6"
    assert [layer.op for layer in convolution.layers] == ["Conv", "BatchNormalization", "Clip"]
    weight, bias = (program.tensors[number] for number in convolution.inputs[1:])
    assert (weight.shape, weight.dtype, weight.scales) == ((4, 3, 3, 3), "int8", 4)
    assert (bias.shape, bias.dtype, bias.scales) == ((4,), "int32", 4)


def test_an_activation_that_others_bypass_is_an_operator_of_its_own() -> None:
    b = Builder()
    x = b.conv(b.input(3, 8, 8), 4)
    program = lower(b.build(b.add(x, b.relu(x))))
    assert kinds(program) == ["CONV_2D", "RELU", "ADD"]


def test_a_normalisation_without_a_convolution_multiplies_and_adds() -> None:
    b = Builder()
    program = lower(b.build(b.relu(b.batch_norm(b.input(3, 8, 8)))))
    assert kinds(program) == ["MUL", "ADD"]
    assert program.operators[1].activation == "RELU"


def test_a_normalisation_is_not_folded_over_an_activation() -> None:
    b = Builder()
    program = lower(b.build(b.batch_norm(b.relu(b.conv(b.input(3, 8, 8), 4)))))
    assert kinds(program) == ["CONV_2D", "MUL", "ADD"]


def test_flattening_before_a_matrix_product_is_free_and_otherwise_a_reshape() -> None:
    b = Builder()
    x = b.flatten(b.input(3, 4, 4))
    assert kinds(lower(b.build(b.linear(x, 2)))) == ["FULLY_CONNECTED"]
    assert kinds(lower(b.build(x))) == ["TRANSPOSE", "RESHAPE"]
    assert kinds(lower(b.build(b.linear(b.layer("Dropout", x), 2)))) == ["FULLY_CONNECTED"]


def test_maps_are_turned_around_a_reshape() -> None:
    b = Builder()
    x = b.layer("Reshape", b.input(6, 4, 4), shape=(0, 3, 8, 4))
    assert kinds(lower(b.build(x))) == ["TRANSPOSE", "RESHAPE", "TRANSPOSE"]
    b = Builder()
    assert kinds(lower(b.build(b.layer("Reshape", b.input(6, 1, 1), shape=(0, 6))))) == ["RESHAPE"]


def test_a_mean_that_would_turn_a_map_is_refused() -> None:
    b = Builder()
    network = b.build(b.layer("ReduceMean", b.input(3, 4, 5), axes=(2,), keepdims=0))
    with pytest.raises(UnsupportedOperatorError, match="would turn"):
        lower(network)


def test_a_stride_on_an_even_map_needs_a_pad_and_on_an_odd_one_none() -> None:
    assert kinds(lower(small(stride=2)))[:2] == ["PAD", "CONV_2D"]
    assert kinds(lower(small(stride=2), fused_pad=True))[:1] == ["CONV_2D"]
    b = Builder()
    assert kinds(lower(b.build(b.conv(b.input(3, 9, 9), 4, kernel=3, stride=2)))) == ["CONV_2D"]


def test_maxima_are_padded_by_the_least_value() -> None:
    b = Builder()
    program = lower(b.build(b.max_pool(b.input(3, 8, 8), kernel=3, stride=2)))
    assert kinds(program) == ["PADV2", "MAX_POOL_2D"]
    assert program.tensors[program.operators[0].inputs[2]].values == (-math.inf,)


def test_means_with_such_a_padding_are_refused_by_name() -> None:
    b = Builder()
    network = b.build(b.average_pool(b.input(3, 8, 8), kernel=3, stride=2))
    with pytest.raises(UnsupportedOperatorError, match="average_pool"):
        lower(network)
    assert kinds(lower(network, fused_pad=True)) == ["AVERAGE_POOL_2D"]


def test_a_rounded_up_pooling_reaches_over_the_edge() -> None:
    b = Builder()
    x = b.layer("MaxPool", b.input(2, 5, 5), kernel_shape=(2, 2), strides=(2, 2), ceil_mode=1)
    (operator,) = lower(b.build(x)).operators
    assert operator.window is not None and operator.window.pads == (0, 0, 1, 1)


def test_hard_activations_of_mobilenetv3() -> None:
    b = Builder()
    x = b.input(3, 4, 4)
    program = lower(b.build(b.multiply(b.hard_swish(x), b.hard_sigmoid(x))))
    assert kinds(program) == ["HARD_SWISH", "ADD", "MUL", "MUL"]
    assert program.operators[1].activation == "RELU6"


def test_axes_follow_the_layout() -> None:
    b = Builder()
    x = b.input(3, 4, 6)
    assert lower(b.build(b.concat(x, x))).operators[0].options["axis"] == 3
    transposed = lower(b.build(b.layer("Transpose", x, perm=(0, 2, 3, 1))))
    shapes = [transposed.tensors[n].shape for n in (transposed.inputs[0], transposed.outputs[0])]
    perm = transposed.tensors[transposed.operators[0].inputs[1]].values
    assert perm is not None
    assert tuple(shapes[0][int(axis)] for axis in perm) == shapes[1]


def test_split_has_all_its_outputs() -> None:
    b = Builder()
    one, two = b.layers("Split", b.input(6, 4, 4), axis=1, split=(2, 4))
    program = lower(b.build(one, two))
    assert kinds(program) == ["SPLIT_V"]
    assert [program.tensors[n].shape for n in program.outputs] == [(1, 4, 4, 2), (1, 4, 4, 4)]


def test_a_float_input_is_quantised_by_the_program() -> None:
    program = lower(small(), float_input=True)
    assert kinds(program)[0] == "QUANTIZE"
    assert program.tensors[program.inputs[0]].dtype == "float32"


def test_float32_programs_have_no_scales() -> None:
    program = lower(small(), dtype="float32")
    assert {tensor.scales for tensor in program.tensors} == {0}
    assert {tensor.dtype for tensor in program.tensors} == {"float32"}
    with pytest.raises(ValueError, match="int8 or float32"):
        lower(small(), dtype="int4")


def test_what_tflite_lacks_is_named() -> None:
    b = Builder()
    x = b.input(4, 4, 4)
    network = b.build(b.layer("LRN", x, size=3))
    with pytest.raises(UnsupportedOperatorError, match=r"lrn: LRN has no form in TFLite"):
        lower(network)


@pytest.mark.parametrize("name", SPACES)
def test_programs_of_spaces_compute_what_their_networks_do(name: str) -> None:
    for architecture in space(name).sample(3, seed=1):
        network = architecture.network.live
        for fused in (True, False):
            program = lower(network, fused_pad=fused)
            assert macs(program) == count(network).whole.macs
            check(program)
            assert program.tensors[program.outputs[0]].size == network.outputs[0].size
        weights = sum(t.size for t in program.tensors if t.is_constant and t.values is None)
        assert weights <= count(network).whole.params + sum(t.scales for t in program.tensors)


def check(program: Program) -> None:
    """Every tensor is made once, before it is read, and numbered in the order in which it is first named."""
    made = set(program.inputs) | {n for n, tensor in enumerate(program.tensors) if tensor.is_constant}
    named = list(dict.fromkeys(program.inputs))
    for operator in program.operators:
        assert made.issuperset(number for number in operator.inputs if number >= 0)
        assert made.isdisjoint(operator.outputs)
        made.update(operator.outputs)
        named += [number for number in (*operator.inputs, *operator.outputs) if number >= 0]
    assert list(dict.fromkeys(named)) == list(range(len(program.tensors)))


def test_dropout_is_nothing_at_inference() -> None:
    b = Builder()
    x = b.conv(b.input(3, 8, 8), 4)
    dropped = b.layer("Dropout", x)
    program = lower(b.build(b.relu(b.batch_norm(dropped))))
    assert kinds(program) == ["CONV_2D"] and program.operators[0].inputs[2] >= 0
    b = Builder()
    x = b.conv(b.input(3, 8, 8), 4)
    assert kinds(lower(b.build(b.add(x, b.relu(b.layer("Dropout", x)))))) == ["CONV_2D", "RELU", "ADD"]


@pytest.mark.parametrize(
    ("shape", "tensor"), [((9,), (1, 1, 9, 1)), ((5, 1), (1, 5, 1, 1)), ((3, 1, 1), (1, 1, 1, 3))]
)
def test_parameters_are_broadcast_along_onnx_axes(shape: tuple[int, ...], tensor: tuple[int, ...]) -> None:
    b = Builder()
    x = b.input(3, 5, 9)
    program = lower(b.build(b.layer("Mul", x, b.parameter("gain", shape))))
    assert program.tensors[program.operators[0].inputs[1]].shape == tensor


@pytest.mark.parametrize("op", ["DepthToSpace", "ConvTranspose"])
def test_what_tflite_computes_otherwise_is_refused(op: str) -> None:
    b = Builder()
    x = b.input(8, 4, 4)
    if op == "DepthToSpace":
        y = b.layer(op, x, blocksize=2, mode="CRD")
    else:
        weight = b.parameter("weight", (8, 4, 3, 3))
        y = b.layer(op, x, weight, strides=(2, 2), pads=(1, 1, 1, 1), output_padding=(1, 1))
    with pytest.raises(UnsupportedOperatorError, match=op):
        lower(b.build(y))


def test_sums_of_several_values_broadcast_step_by_step() -> None:
    b = Builder()
    x, y = b.input(3, 4, 4), b.input(3, 1, 1)
    program = lower(b.build(b.layer("Sum", y, x, x)))
    assert [program.tensors[o.outputs[0]].shape for o in program.operators] == [(1, 4, 4, 3)] * 2
