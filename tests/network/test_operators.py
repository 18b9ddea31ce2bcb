"""Every operator of the vocabulary: inferred shapes, torch and onnxruntime agree, and ONNX reads back."""

from collections.abc import Callable

import pytest

from hwnas.network import Builder, Network, Value
from hwnas.network.from_onnx import from_onnx
from hwnas.network.operators import OPERATORS
from hwnas.network.to_onnx import to_onnx

from .agreement import assert_agree

Case = tuple[str, tuple[tuple[int, ...], ...], Callable[..., Value | tuple[Value, ...]]]

IMAGE, VECTOR, SEQUENCE = (4, 7, 6), (8,), (5, 8)


def unary(op: str, shape: tuple[int, ...] = IMAGE, /, **attributes: object) -> Case:
    return op, (shape,), lambda b, x: b.layer(op, x, **attributes)


def binary(op: str, left: tuple[int, ...] = IMAGE, right: tuple[int, ...] = IMAGE) -> Case:
    return op, (left, right), lambda b, x, y: b.layer(op, x, y)


def with_parameter(
    op: str, shape: tuple[int, ...], parameter: tuple[int, ...], *, first: bool = False
) -> Case:
    def build(b: Builder, x: Value) -> Value:
        p = b.parameter("scale.weight", parameter)
        return b.layer(op, p, x) if first else b.layer(op, x, p)

    return op, (shape,), build


def with_constant(op: str, *values: float, shape: tuple[int, ...] = ()) -> Case:
    return op, (IMAGE,), lambda b, x: b.layer(op, x, b.parameter("c", shape, constant=values))


def conv(
    shape: tuple[int, ...], weight: tuple[int, ...], *, bias: bool = False, **attributes: object
) -> Case:
    shapes = [weight, (weight[0],) if bias else None]
    return "Conv", (shape,), lambda b, x: b.parametric("Conv", x, shapes, "conv", **attributes)


def transposed(weight: tuple[int, ...], *, bias: bool = False, **attributes: object) -> Case:
    shapes = [weight, (weight[1] * attributes.get("group", 1),) if bias else None]
    return (
        "ConvTranspose",
        (IMAGE,),
        lambda b, x: b.parametric("ConvTranspose", x, shapes, "up", **attributes),
    )


def norm(op: str, shape: tuple[int, ...], parameters: list[tuple[int, ...]], **attributes: object) -> Case:
    return op, (shape,), lambda b, x: b.parametric(op, x, parameters, "norm", **attributes)


def gemm(weight: tuple[int, ...], *, bias: bool = True, **attributes: object) -> Case:
    features = weight[0] if attributes.get("transB") else weight[1]
    shapes = [weight, (features,) if bias else None]
    return "Gemm", (VECTOR,), lambda b, x: b.parametric("Gemm", x, shapes, "fc", **attributes)


CASES: dict[str, Case] = {
    "conv": conv(IMAGE, (6, 4, 3, 3), pads=(1, 1, 1, 1)),
    "conv-bias-strided": conv(IMAGE, (6, 4, 3, 3), bias=True, strides=(2, 2)),
    "conv-grouped": conv(IMAGE, (6, 2, 3, 3), group=2),
    "conv-depthwise": conv(IMAGE, (4, 1, 3, 3), group=4, pads=(1, 1, 1, 1)),
    "conv-asymmetric": conv(IMAGE, (6, 4, 1, 5), pads=(0, 2, 0, 2)),
    "conv-dilated": conv(IMAGE, (6, 4, 3, 3), dilations=(2, 2), pads=(2, 2, 2, 2)),
    "conv-uneven": conv(IMAGE, (6, 4, 3, 3), pads=(0, 1, 2, 1), strides=(2, 1)),
    "conv-same-upper": conv(IMAGE, (6, 4, 3, 3), auto_pad="SAME_UPPER", strides=(2, 2)),
    "conv-same-lower": conv(IMAGE, (6, 4, 2, 3), auto_pad="SAME_LOWER", strides=(2, 2)),
    "conv-valid": conv(IMAGE, (6, 4, 3, 3), auto_pad="VALID"),
    "conv-wide-padding": conv(IMAGE, (6, 4, 1, 1), pads=(2, 2, 2, 2)),
    "conv-1d": conv((4, 9), (6, 4, 3), pads=(1, 1)),
    "conv-3d": conv((2, 4, 5, 6), (3, 2, 3, 3, 3), pads=(1,) * 6),
    "transposed": transposed((4, 3, 2, 2), strides=(2, 2)),
    "transposed-bias": transposed(
        (4, 3, 3, 3), bias=True, strides=(2, 2), pads=(1,) * 4, output_padding=(1, 1)
    ),
    "transposed-grouped": transposed((4, 3, 3, 3), bias=True, group=2, dilations=(2, 1)),
    "max-pool": unary("MaxPool", kernel_shape=(3, 3), strides=(2, 2), pads=(1, 1, 1, 1)),
    "max-pool-ceil": unary("MaxPool", kernel_shape=(2, 2), strides=(2, 2), ceil_mode=1),
    "max-pool-uneven": unary("MaxPool", kernel_shape=(3, 2), pads=(0, 1, 2, 1)),
    "max-pool-dilated": unary("MaxPool", kernel_shape=(2, 2), dilations=(2, 2)),
    "max-pool-1d": unary("MaxPool", (4, 9), kernel_shape=(3,), strides=(2,)),
    "average-pool": unary("AveragePool", kernel_shape=(3, 3), pads=(1, 1, 1, 1)),
    "average-pool-counted": unary("AveragePool", kernel_shape=(3, 3), pads=(1, 1, 1, 1), count_include_pad=1),
    "average-pool-ceil": unary("AveragePool", kernel_shape=(3, 3), strides=(2, 2), ceil_mode=1),
    "average-pool-uneven": unary("AveragePool", kernel_shape=(3, 3), pads=(0, 1, 2, 1), count_include_pad=1),
    "average-pool-1d": unary("AveragePool", (4, 9), kernel_shape=(3,), strides=(2,)),
    "global-average-pool": unary("GlobalAveragePool"),
    "global-average-pool-1d": unary("GlobalAveragePool", (4, 9)),
    "global-max-pool": unary("GlobalMaxPool"),
    "gemm": gemm((5, 8), transB=1),
    "gemm-no-bias": gemm((5, 8), transB=1, bias=False),
    "gemm-not-transposed": gemm((8, 5)),
    "gemm-scaled": gemm((5, 8), transB=1, alpha=0.5, beta=2.0),
    "matmul-weight": with_parameter("MatMul", SEQUENCE, (8, 3)),
    "matmul-vector": with_parameter("MatMul", VECTOR, (8, 3)),
    "matmul-weight-first": with_parameter("MatMul", SEQUENCE, (3, 5), first=True),
    "matmul-values": binary("MatMul", (2, 5, 8), (2, 8, 3)),
    "matmul-broadcast": binary("MatMul", (2, 5, 8), (1, 8, 3)),
    "matmul-stacked-weight": with_parameter("MatMul", (2, 5, 8), (2, 8, 3)),
    "batch-norm": norm("BatchNormalization", IMAGE, [(4,)] * 4),
    "batch-norm-vector": norm("BatchNormalization", VECTOR, [(8,)] * 4, epsilon=1e-3, momentum=0.99),
    "batch-norm-1d": norm("BatchNormalization", (4, 9), [(4,)] * 4),
    "instance-norm": norm("InstanceNormalization", IMAGE, [(4,)] * 2),
    "instance-norm-1d": norm("InstanceNormalization", (4, 9), [(4,)] * 2),
    "group-norm": norm("GroupNormalization", IMAGE, [(4,)] * 2, num_groups=2),
    "layer-norm": norm("LayerNormalization", SEQUENCE, [(8,)] * 2, epsilon=1e-6),
    "layer-norm-no-bias": norm("LayerNormalization", SEQUENCE, [(8,)]),
    "layer-norm-two-axes": norm("LayerNormalization", SEQUENCE, [(5, 8)] * 2, axis=1),
    "lrn": unary("LRN", size=3),
    "lrn-constants": unary("LRN", size=5, alpha=1e-3, beta=0.5, bias=2.0),
    "softmax": unary("Softmax"),
    "softmax-channels": unary("Softmax", axis=1),
    "log-softmax": unary("LogSoftmax", VECTOR),
    **{
        op: unary(op)
        for op in (
            "Relu",
            "Sigmoid",
            "Tanh",
            "HardSwish",
            "Softplus",
            "Softsign",
            "Mish",
            "Erf",
            "Exp",
            "Log",
            "Sqrt",
            "Neg",
            "Abs",
            "Reciprocal",
            "Floor",
            "Ceil",
            "Sign",
        )
    },
    "leaky-relu": unary("LeakyRelu", alpha=0.2),
    "elu": unary("Elu", alpha=0.7),
    "celu": unary("Celu", alpha=0.7),
    "selu": unary("Selu"),
    "hard-sigmoid-onnx": unary("HardSigmoid"),
    "hard-sigmoid-torch": ("HardSigmoid", (IMAGE,), lambda b, x: b.hard_sigmoid(x)),
    "gelu": unary("Gelu"),
    "gelu-tanh": unary("Gelu", approximate="tanh"),
    "relu6": ("Clip", (IMAGE,), lambda b, x: b.relu6(x)),
    "clip-below": unary("Clip", min=-0.3),
    "clip-above": unary("Clip", max=0.3),
    "dropout": unary("Dropout", ratio=0.25),
    "prelu": norm("PRelu", IMAGE, [(4, 1, 1)]),
    "prelu-single": norm("PRelu", IMAGE, [(1,)]),
    "prelu-last-axis": norm("PRelu", IMAGE, [(6,)]),
    **{f"{op}-values": binary(op) for op in ("Add", "Sub", "Mul", "Div", "Max", "Min", "Sum", "Mean")},
    **{
        f"{op}-broadcast": binary(op, IMAGE, (4, 1, 1))
        for op in ("Add", "Sub", "Mul", "Div", "Max", "Min", "Sum")
    },
    **{f"{op}-parameter": with_parameter(op, IMAGE, (4, 1, 1)) for op in ("Add", "Sub", "Mul", "Div")},
    **{f"{op}-scalar": with_constant(op, 1.7) for op in ("Add", "Sub", "Mul", "Div", "Pow")},
    "add-batched-constant": with_constant("Add", 1.0, 2.0, 3.0, 4.0, shape=(1, 4, 1, 1)),
    "sub-from-parameter": with_parameter("Sub", IMAGE, (4, 1, 1), first=True),
    "sum-of-three": ("Sum", (IMAGE,) * 3, lambda b, *x: b.layer("Sum", *x)),
    "mean-of-three": ("Mean", (IMAGE,) * 3, lambda b, *x: b.layer("Mean", *x)),
    "max-of-three": ("Max", (IMAGE,) * 3, lambda b, *x: b.layer("Max", *x)),
    "concat": ("Concat", ((2, 3, 4), (5, 3, 4)), lambda b, x, y: b.concat(x, y, x)),
    "concat-last": ("Concat", ((2, 3, 4), (2, 3, 1)), lambda b, x, y: b.concat(x, y, axis=-1)),
    "split": ("Split", (IMAGE,), lambda b, x: b.layers("Split", x, axis=1, split=(1, 3))),
    "split-equal": ("Split", (IMAGE,), lambda b, x: b.layers("Split", x, axis=2, num_outputs=3)),
    "slice": unary("Slice", starts=(1, -3), ends=(3, 100), axes=(1, 3)),
    "slice-steps": unary("Slice", starts=(0, 5), ends=(7, 0), axes=(2, 3), steps=(2, -2)),
    "slice-reversed": unary("Slice", starts=(-1,), ends=(-(2**31),), axes=(3,), steps=(-1,)),
    "slice-nothing": unary("Slice", starts=(0,), ends=(2**63 - 1,), axes=(0,)),
    "reshape": unary("Reshape", shape=(0, 2, 14, 6)),
    "reshape-rest": unary("Reshape", shape=(0, 0, -1)),
    "flatten": unary("Flatten"),
    "transpose": unary("Transpose", perm=(0, 2, 3, 1)),
    "squeeze": unary("Squeeze", (4, 1, 1), axes=(2, 3)),
    "squeeze-end": unary("Squeeze", (4, 1, 1), axes=(-1,)),
    "unsqueeze": unary("Unsqueeze", VECTOR, axes=(2, 3)),
    "unsqueeze-end": unary("Unsqueeze", VECTOR, axes=(-1, 1)),
    "expand": unary("Expand", (4, 1, 1), shape=(0, 1, 7, 6)),
    "pad": unary("Pad", pads=(0, 1, 2, 0, 0, 0, 1, 3), constant_value=0.5),
    "pad-axes": unary("Pad", pads=(1, 2), axes=(-1,)),
    "pad-negative": unary("Pad", pads=(0, 0, -1, 0, 0, 0, 0, -2)),
    "pad-reflect": unary("Pad", pads=(0, 0, 2, 1, 0, 0, 1, 2), mode="reflect"),
    "pad-edge": unary("Pad", pads=(0, 0, 2, 1, 0, 0, 1, 2), mode="edge"),
    "pad-wrap": unary("Pad", pads=(0, 0, 2, 1, 0, 0, 1, 2), mode="wrap"),
    **{
        f"{op}-kept": unary(op, axes=(2, 3))
        for op in ("ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL2")
    },
    **{
        f"{op}-dropped": unary(op, axes=(-1, 1), keepdims=0)
        for op in ("ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL2")
    },
    "resize-nearest": unary(
        "Resize",
        scales=(1.0, 1.0, 2.0, 3.0),
        coordinate_transformation_mode="asymmetric",
        nearest_mode="floor",
    ),
    "resize-nearest-default": unary("Resize", scales=(1.0, 1.0, 2.0, 3.0)),
    "resize-nearest-sizes": unary("Resize", sizes=(0, 4, 11, 4), nearest_mode="round_prefer_ceil"),
    "resize-linear": unary("Resize", sizes=(0, 4, 14, 9), mode="linear"),
    "resize-linear-aligned": unary(
        "Resize", sizes=(0, 4, 14, 9), mode="linear", coordinate_transformation_mode="align_corners"
    ),
    "resize-linear-1d": unary("Resize", (4, 9), sizes=(0, 4, 14), mode="linear"),
    "resize-cubic": unary("Resize", sizes=(0, 4, 14, 9), mode="cubic"),
    "depth-to-space": unary("DepthToSpace", (8, 3, 4), blocksize=2),
    "depth-to-space-crd": unary("DepthToSpace", (8, 3, 4), blocksize=2, mode="CRD"),
    "space-to-depth": unary("SpaceToDepth", (2, 6, 4), blocksize=2),
    "zeros": ("ConstantOfShape", (IMAGE,), lambda b, x: b.add(x, b.zeros(*IMAGE))),
    "ones": (
        "ConstantOfShape",
        (IMAGE,),
        lambda b, x: b.add(x, b.layer("ConstantOfShape", shape=(0, 4, 1, 1), value=1.0)),
    ),
}


def build(case: Case) -> Network:
    _, shapes, function = case
    b = Builder()
    result = function(b, *(b.input(*shape) for shape in shapes))
    return b.build(*((result,) if isinstance(result, Value) else result))


def test_every_operator_has_a_case() -> None:
    assert {op for op, _, _ in CASES.values()} == set(OPERATORS)


@pytest.mark.parametrize("name", CASES)
def test_torch_and_onnxruntime_agree(name: str) -> None:
    op = CASES[name][0]
    assert_agree(build(CASES[name]), positive=op in {"Log", "Sqrt", "Reciprocal", "Pow", "Div"})


@pytest.mark.parametrize("batch", [1, 3, None])
@pytest.mark.parametrize("name", CASES)
def test_onnx_reads_back_with_the_same_key(name: str, batch: int | None) -> None:
    network = build(CASES[name])
    again = from_onnx(to_onnx(network, batch=batch))
    assert [v.shape for v in again.outputs] == [v.shape for v in network.outputs]
    assert again.key == network.key
