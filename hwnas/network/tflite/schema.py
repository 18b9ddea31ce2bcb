"""The fields of the tables in a `.tflite` file, by their number in TFLite's schema.

Source: `tensorflow/lite/schema/schema.fbs`, schema version 3. Its enumerations are those of the package
`tflite`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

from tflite import ActivationFunctionType, BuiltinOperator, BuiltinOptions, TensorType

SCHEMA_VERSION = 3
FILE_IDENTIFIER = b"TFL3"
CUSTOM = BuiltinOperator.CUSTOM

LARGEST_OLD_CODE = 127


class Model(IntEnum):
    """The whole file."""

    VERSION = 0
    OPERATOR_CODES = 1
    SUBGRAPHS = 2
    DESCRIPTION = 3
    BUFFERS = 4


class OperatorCode(IntEnum):
    """A kind of operator; codes above 127 stand in the newer field only."""

    DEPRECATED_BUILTIN_CODE = 0
    CUSTOM_CODE = 1
    VERSION = 2
    BUILTIN_CODE = 3


class SubGraph(IntEnum):
    """Tensors and operators."""

    TENSORS = 0
    INPUTS = 1
    OUTPUTS = 2
    OPERATORS = 3
    NAME = 4


class TensorTable(IntEnum):
    """A tensor."""

    SHAPE = 0
    TYPE = 1
    BUFFER = 2
    NAME = 3
    QUANTIZATION = 4
    IS_VARIABLE = 5
    SPARSITY = 6
    SHAPE_SIGNATURE = 7


class QuantizationParameters(IntEnum):
    """Scales and zero points of a tensor."""

    SCALE = 2
    ZERO_POINT = 3
    QUANTIZED_DIMENSION = 6


class OperatorTable(IntEnum):
    """An operator."""

    OPCODE_INDEX = 0
    INPUTS = 1
    OUTPUTS = 2
    BUILTIN_OPTIONS_TYPE = 3
    BUILTIN_OPTIONS = 4


class BufferTable(IntEnum):
    """What a constant holds, inline or (offset, size) behind the tables."""

    DATA = 0
    OFFSET = 1
    SIZE = 2


@dataclass(frozen=True, slots=True)
class Field:
    """A field of an operator's options.

    Attributes:
        number: in the table.
        type: `Bool`, `Int8`, `Int32` or `Float32`.
        default: what an absent field holds.
        usual: what a program means that does not say.
    """

    number: int
    type: str
    default: int | float | bool = 0
    usual: int | float | bool = 0


@dataclass(frozen=True, slots=True)
class Options:
    """The options of a kind of operator: their number in the union, and their fields by name."""

    union: int
    fields: Mapping[str, Field]


_STRIDES = {"padding": Field(0, "Int8"), "stride_w": Field(1, "Int32"), "stride_h": Field(2, "Int32")}
_CONV = Options(
    BuiltinOptions.Conv2DOptions,
    _STRIDES
    | {
        "activation": Field(3, "Int8"),
        "dilation_w": Field(4, "Int32", 1, 1),
        "dilation_h": Field(5, "Int32", 1, 1),
    },
)
_DEPTHWISE = Options(
    BuiltinOptions.DepthwiseConv2DOptions,
    _STRIDES
    | {
        "depth_multiplier": Field(3, "Int32"),
        "activation": Field(4, "Int8"),
        "dilation_w": Field(5, "Int32", 1, 1),
        "dilation_h": Field(6, "Int32", 1, 1),
    },
)
_POOL = Options(
    BuiltinOptions.Pool2DOptions,
    _STRIDES | {"filter_w": Field(3, "Int32"), "filter_h": Field(4, "Int32"), "activation": Field(5, "Int8")},
)
_REDUCER = Options(BuiltinOptions.ReducerOptions, {"keep_dims": Field(0, "Bool")})
_ONLY_ACTIVATION = {"activation": Field(0, "Int8")}
_NONE = Options(BuiltinOptions.NONE, {})
_MASKS = ("begin_mask", "end_mask", "ellipsis_mask", "new_axis_mask", "shrink_axis_mask")

OPTIONS: Mapping[str, Options] = {
    "ABS": Options(BuiltinOptions.AbsOptions, {}),
    "ADD": Options(BuiltinOptions.AddOptions, _ONLY_ACTIVATION),
    "AVERAGE_POOL_2D": _POOL,
    "CEIL": _NONE,
    "CONCATENATION": Options(
        BuiltinOptions.ConcatenationOptions, {"axis": Field(0, "Int32"), "activation": Field(1, "Int8")}
    ),
    "CONV_2D": _CONV,
    "DEPTHWISE_CONV_2D": _DEPTHWISE,
    "DEPTH_TO_SPACE": Options(BuiltinOptions.DepthToSpaceOptions, {"block_size": Field(0, "Int32")}),
    "DEQUANTIZE": Options(BuiltinOptions.DequantizeOptions, {}),
    "DIV": Options(BuiltinOptions.DivOptions, _ONLY_ACTIVATION),
    "ELU": _NONE,
    "EXP": Options(BuiltinOptions.ExpOptions, {}),
    "EXPAND_DIMS": Options(BuiltinOptions.ExpandDimsOptions, {}),
    "FILL": Options(BuiltinOptions.FillOptions, {}),
    "FLOOR": _NONE,
    "FULLY_CONNECTED": Options(
        BuiltinOptions.FullyConnectedOptions,
        {
            "activation": Field(0, "Int8"),
            "weights_format": Field(1, "Int8"),
            "keep_num_dims": Field(2, "Bool"),
        },
    ),
    "HARD_SWISH": Options(BuiltinOptions.HardSwishOptions, {}),
    "LEAKY_RELU": Options(BuiltinOptions.LeakyReluOptions, {"alpha": Field(0, "Float32")}),
    "LOG": _NONE,
    "LOGISTIC": _NONE,
    "LOG_SOFTMAX": Options(BuiltinOptions.LogSoftmaxOptions, {}),
    "MAXIMUM": Options(BuiltinOptions.MaximumMinimumOptions, {}),
    "MAX_POOL_2D": _POOL,
    "MEAN": _REDUCER,
    "MINIMUM": Options(BuiltinOptions.MaximumMinimumOptions, {}),
    "MUL": Options(BuiltinOptions.MulOptions, _ONLY_ACTIVATION),
    "NEG": Options(BuiltinOptions.NegOptions, {}),
    "PAD": Options(BuiltinOptions.PadOptions, {}),
    "PADV2": Options(BuiltinOptions.PadV2Options, {}),
    "PRELU": _NONE,
    "QUANTIZE": Options(BuiltinOptions.QuantizeOptions, {}),
    "REDUCE_MAX": _REDUCER,
    "REDUCE_MIN": _REDUCER,
    "RELU": _NONE,
    "RELU6": _NONE,
    "RESHAPE": _NONE,
    "RESIZE_BILINEAR": Options(
        BuiltinOptions.ResizeBilinearOptions,
        {"align_corners": Field(2, "Bool"), "half_pixel_centers": Field(3, "Bool")},
    ),
    "RESIZE_NEAREST_NEIGHBOR": Options(
        BuiltinOptions.ResizeNearestNeighborOptions,
        {"align_corners": Field(0, "Bool"), "half_pixel_centers": Field(1, "Bool")},
    ),
    "SOFTMAX": Options(BuiltinOptions.SoftmaxOptions, {"beta": Field(0, "Float32", usual=1.0)}),
    "SPACE_TO_DEPTH": Options(BuiltinOptions.SpaceToDepthOptions, {"block_size": Field(0, "Int32")}),
    "SPLIT": Options(BuiltinOptions.SplitOptions, {"num_splits": Field(0, "Int32")}),
    "SPLIT_V": Options(BuiltinOptions.SplitVOptions, {"num_splits": Field(0, "Int32")}),
    "SQRT": _NONE,
    "STRIDED_SLICE": Options(
        BuiltinOptions.StridedSliceOptions,
        {name: Field(number, "Int32") for number, name in enumerate(_MASKS)},
    ),
    "SUB": Options(BuiltinOptions.SubOptions, _ONLY_ACTIVATION),
    "SUM": _REDUCER,
    "TANH": _NONE,
    "TRANSPOSE": Options(BuiltinOptions.TransposeOptions, {}),
    "TRANSPOSE_CONV": Options(
        BuiltinOptions.TransposeConvOptions, _STRIDES | {"activation": Field(3, "Int8")}
    ),
}

DERIVED_FIELDS = frozenset({*_CONV.fields, *_DEPTHWISE.fields, *_POOL.fields, "num_splits", "weights_format"})
"""Fields that follow from the rest of an operator, which are none of its options."""


def _names(enumeration: type) -> dict[str, int]:
    return {name: value for name, value in vars(enumeration).items() if name.isupper()}


CODES = _names(BuiltinOperator)
KINDS = {code: kind for kind, code in CODES.items()}
ACTIVATIONS = _names(ActivationFunctionType)
ACTIVATION_NAMES = {code: name for name, code in ACTIVATIONS.items()}
TYPES = {name.lower(): code for name, code in _names(TensorType).items()}
TYPE_NAMES = {code: name for name, code in TYPES.items()}
