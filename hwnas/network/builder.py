"""Describe a network layer by layer; shapes are inferred, names and defaults filled in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from hwnas.network.network import Attribute, Block, Item, Layer, Network, Parameter, Shape, Value
from hwnas.network.operators import get_operator, infer_shapes, input_shapes, normalised

BlockFunction = Callable[..., Value | Sequence[Value]]


class Builder:
    """Collects layers and blocks into a `Network`.

    >>> b = Builder()
    >>> x = b.input(3, 32, 32)
    >>> x = b.relu(b.batch_norm(b.conv(x, 16, kernel=3)))
    >>> network = b.build(b.linear(b.global_average_pool(x), 10))
    >>> network.outputs[0].shape
    (10,)
    """

    def __init__(self) -> None:
        self._inputs: list[Value] = []
        self._items: list[Item] = []
        self._parameters: dict[str, Parameter] = {}
        self._taken: dict[str, int] = {}

    def input(self, *shape: int) -> Value:
        """A new input of the network, of `shape` without the batch."""
        value = Value(self._free_name("input"), tuple(shape))
        self._inputs.append(value)
        return value

    def build(self, *outputs: Value) -> Network:
        """The network that computes `outputs`."""
        if not outputs:
            raise ValueError("a network needs at least one output")
        return Network(tuple(self._inputs), outputs, tuple(self._items), dict(self._parameters))

    def block(self, name: str, function: BlockFunction, *inputs: Value, **arguments: Any) -> Any:
        """What `function(builder, *inputs, **arguments)` describes, as a named block.

        Equal calls share one `Network`, so `function` must be pure and its arguments hashable. Returns
        what the function returns: a `Value`, or a tuple of them.
        """
        network, single = _block_network(
            function, tuple([value.shape for value in inputs]), tuple(arguments.items())
        )
        if not network.items:
            return _passed_through(network, inputs, single)
        name = self._free_name(name)
        if single:
            result = Value(name, network.outputs[0].shape)
            self._items.append(Block(name, network, tuple([v.name for v in inputs]), (result,)))
            return result
        results = tuple([Value(f"{name}:{i}", v.shape) for i, v in enumerate(network.outputs)])
        self._items.append(Block(name, network, tuple([v.name for v in inputs]), results))
        return results

    def layer(
        self,
        op: str,
        *inputs: Value | Parameter | None,
        name: str | None = None,
        **attributes: Attribute | Sequence[int],
    ) -> Value:
        """Any operator with a single output, by its ONNX name and attributes."""
        return self.layers(op, *inputs, name=name, **attributes)[0]

    def layers(
        self,
        op: str,
        *inputs: Value | Parameter | None,
        name: str | None = None,
        **attributes: Attribute | Sequence[int],
    ) -> tuple[Value, ...]:
        """Any operator by its ONNX name and attributes; all its outputs.

        Raises:
            UnknownOperatorError: `op` is not in the vocabulary.
            ValueError: the inputs do not fit.
        """
        return self._append(self._free_name(name or op.lower()), op, inputs, attributes)

    def _append(
        self,
        name: str,
        op: str,
        inputs: Sequence[Value | Parameter | None],
        attributes: Mapping[str, Attribute | Sequence[int]],
    ) -> tuple[Value, ...]:
        shapes = input_shapes(inputs)
        full = normalised(op, attributes, shapes)
        found = infer_shapes(op, full, shapes)
        outputs = tuple(
            Value(name if len(found) == 1 else f"{name}:{index}", shape) for index, shape in enumerate(found)
        )
        used = tuple("" if i is None else i.name for i in inputs)
        self._items.append(Layer(name, op, used, outputs, full))
        return outputs

    def parameter(
        self, name: str, shape: Shape, *, trainable: bool = True, constant: tuple[float, ...] | None = None
    ) -> Parameter:
        """A parameter for `layer`; layers given the same one share it."""
        parameter = Parameter(self._free_name(name), tuple(shape), trainable and constant is None, constant)
        self._parameters[parameter.name] = parameter
        return parameter

    def parametric(
        self,
        op: str,
        x: Value,
        shapes: Sequence[Shape | None],
        name: str,
        **attributes: Attribute | Sequence[int],
    ) -> Value:
        """An operator with parameters of its own, of the given shapes, named as torch names them."""
        name = self._free_name(name)
        slots = get_operator(op).parameters
        owned = [
            None
            if shape is None
            else self.parameter(
                f"{name}.{slots[i]}", shape, trainable=slots[i] not in ("running_mean", "running_var")
            )
            for i, shape in enumerate(shapes, start=1)
        ]
        while owned and owned[-1] is None:
            owned.pop()
        return self._append(name, op, (x, *owned), attributes)[0]

    def conv(
        self,
        x: Value,
        channels: int,
        *,
        kernel: int = 1,
        stride: int = 1,
        padding: int | None = None,
        groups: int = 1,
        dilation: int = 1,
        bias: bool = False,
        name: str = "conv",
    ) -> Value:
        """2-D convolution `[ci, h, w] -> [channels, h', w']`; odd kernels are centred by default."""
        pad = dilation * (kernel // 2) if padding is None else padding
        if x.shape[0] % groups:
            raise ValueError(f"{x.shape[0]} input channels do not divide into {groups} groups")
        weight = (channels, x.shape[0] // groups, kernel, kernel)
        return self.parametric(
            "Conv",
            x,
            [weight, (channels,) if bias else None],
            name,
            strides=(stride, stride),
            pads=(pad,) * 4,
            dilations=(dilation, dilation),
            group=groups,
        )

    def depthwise(self, x: Value, *, kernel: int, stride: int = 1, name: str = "depthwise") -> Value:
        """One `kernel`×`kernel` filter per channel: `[c, h, w] -> [c, h', w']`."""
        return self.conv(x, x.shape[0], kernel=kernel, stride=stride, groups=x.shape[0], name=name)

    def batch_norm(self, x: Value, *, name: str = "bn") -> Value:
        """Batch normalisation with affine parameters and running statistics."""
        return self.parametric("BatchNormalization", x, [(x.shape[0],)] * 4, name)

    def linear(self, x: Value, features: int, *, bias: bool = True, name: str = "linear") -> Value:
        """`[n] -> [features]`; anything of a higher rank is flattened first."""
        if len(x.shape) > 1:
            x = self.flatten(x)
        shapes = [(features, x.shape[0]), (features,) if bias else None]
        return self.parametric("Gemm", x, shapes, name, transB=1)

    def relu(self, x: Value) -> Value:
        """max(x, 0)."""
        return self.layer("Relu", x)

    def relu6(self, x: Value) -> Value:
        """min(max(x, 0), 6)."""
        return self.layer("Clip", x, min=0.0, max=6.0, name="relu6")

    def hard_swish(self, x: Value) -> Value:
        """X · hard_sigmoid(x)."""
        return self.layer("HardSwish", x, name="hard_swish")

    def hard_sigmoid(self, x: Value) -> Value:
        """max(0, min(1, x/6 + 1/2)), as torch and MobileNetV3 define it."""
        return self.layer("HardSigmoid", x, alpha=1 / 6, beta=0.5, name="hard_sigmoid")

    def sigmoid(self, x: Value) -> Value:
        """1 / (1 + exp(-x))."""
        return self.layer("Sigmoid", x)

    def add(self, *values: Value, name: str = "add") -> Value:
        """Element-wise sum of one or more values."""
        total = values[0]
        for value in values[1:]:
            total = self.layer("Add", total, value, name=name)
        return total

    def multiply(self, x: Value, y: Value) -> Value:
        """Element-wise product, broadcasting."""
        return self.layer("Mul", x, y)

    def concat(self, *values: Value, axis: int = 1) -> Value:
        """Concatenation, by default of channels."""
        return self.layer("Concat", *values, axis=axis)

    def max_pool(self, x: Value, *, kernel: int, stride: int = 1, padding: int | None = None) -> Value:
        """Maximum over windows; odd kernels are centred by default."""
        return self._pool("MaxPool", x, kernel, stride, padding)

    def average_pool(self, x: Value, *, kernel: int, stride: int = 1, padding: int | None = None) -> Value:
        """Mean over windows, padding not counted; odd kernels are centred by default."""
        return self._pool("AveragePool", x, kernel, stride, padding)

    def global_average_pool(self, x: Value) -> Value:
        """`[c, h, w] -> [c, 1, 1]`."""
        return self.layer("GlobalAveragePool", x, name="global_average_pool")

    def flatten(self, x: Value) -> Value:
        """`[c, h, w] -> [c·h·w]`."""
        return self.layer("Flatten", x)

    def zeros(self, *shape: int, name: str = "zeros") -> Value:
        """A constant zero of `shape`: what the sum of no inputs is."""
        return self.layer("ConstantOfShape", shape=(0, *shape), name=name)

    def _pool(self, op: str, x: Value, kernel: int, stride: int, padding: int | None) -> Value:
        pad = (kernel // 2 if kernel % 2 else 0) if padding is None else padding
        name = "max_pool" if op == "MaxPool" else "average_pool"
        return self.layer(
            op, x, name=name, kernel_shape=(kernel, kernel), strides=(stride, stride), pads=(pad,) * 4
        )

    def _free_name(self, name: str) -> str:
        """`name`, or `name_1`, `name_2`, ... where it is taken."""
        free = name
        while free in self._taken:
            free = f"{name}_{self._taken[name]}"
            self._taken[name] += 1
        self._taken[free] = 1
        return free


def _passed_through(network: Network, inputs: Sequence[Value], single: bool) -> Any:
    """The outputs of a block without layers: some of its inputs."""
    passed = dict(zip((value.name for value in network.inputs), inputs, strict=True))
    results = tuple(passed[value.name] for value in network.outputs)
    return results[0] if single else results


@lru_cache(maxsize=8192)
def _block_network(
    function: BlockFunction, shapes: tuple[Shape, ...], arguments: tuple[tuple[str, Any], ...]
) -> tuple[Network, bool]:
    """The network of a block, and whether its function returns a single value."""
    builder = Builder()
    result = function(builder, *(builder.input(*shape) for shape in shapes), **dict(arguments))
    single = isinstance(result, Value)
    return builder.build(*((result,) if isinstance(result, Value) else result)), single
