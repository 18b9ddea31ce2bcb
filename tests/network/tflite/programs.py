"""Random programs, built by hand: chains of convolutions with padding, and cells with ADD and CONCATENATION."""

from __future__ import annotations

import numpy as np

from hwnas.network.program import Operator, Program, Tensor, Window, same_pads

ACTIVATIONS = ("NONE", "RELU", "RELU6")


class Assembly:
    """Tensors and operators of a program while it grows."""

    def __init__(self, generator: np.random.Generator, dtype: str = "int8") -> None:
        self.random, self.dtype = generator, dtype
        self.tensors: list[Tensor] = []
        self.operators: list[Operator] = []

    def tensor(self, shape, *, constant=False, dtype=None, scales=1, values=None) -> int:
        dtype = dtype or self.dtype
        scales = scales if self.dtype == "int8" and dtype in ("int8", "int32") else 0
        self.tensors.append(Tensor(f"t{len(self.tensors)}", tuple(shape), dtype, constant, scales, values))
        return len(self.tensors) - 1

    def index(self, values, shape=None) -> int:
        shape = shape or (len(values),)
        return self.tensor(shape, constant=True, dtype="int32", scales=0, values=tuple(values))

    def shape(self, number):
        return self.tensors[number].shape

    def operator(self, kind, inputs, shape, window=None, options=None, activation="NONE") -> int:
        output = self.tensor(shape)
        name = f"{kind}_{len(self.operators)}"
        self.operators.append(
            Operator(name, kind, tuple(inputs), (output,), window, activation, options or {})
        )
        return output

    def window(self, x, kernel, stride, *, same=True):
        """The window and the size that it makes of `x`; without padding where it fits."""
        _, h, w, _ = self.shape(x)
        window = Window((kernel, kernel), (stride, stride))
        if same or kernel > min(h, w):
            pads = same_pads(window, h, w)
            return Window(window.kernel, window.strides, pads), (-(-h // stride), -(-w // stride))
        return window, ((h - kernel) // stride + 1, (w - kernel) // stride + 1)

    def _bias(self, channels):
        dtype = "int32" if self.dtype == "int8" else "float32"
        return self.tensor((channels,), constant=True, dtype=dtype, scales=channels)

    def conv(self, x, channels, kernel=1, stride=1, groups=1, same=True, bias=True) -> int:
        window, size = self.window(x, kernel, stride, same=same)
        inner = self.shape(x)[3] // groups
        weights = self.tensor((channels, kernel, kernel, inner), constant=True, scales=channels)
        inputs = [x, weights, *([self._bias(channels)] if bias else [])]
        activation = str(self.random.choice(ACTIVATIONS))
        return self.operator("CONV_2D", inputs, (1, *size, channels), window, activation=activation)

    def depthwise(self, x, kernel=3, stride=1, same=True) -> int:
        window, size = self.window(x, kernel, stride, same=same)
        c = self.shape(x)[3]
        weights = self.tensor((1, kernel, kernel, c), constant=True, scales=c)
        activation = str(self.random.choice(ACTIVATIONS))
        return self.operator(
            "DEPTHWISE_CONV_2D", [x, weights, self._bias(c)], (1, *size, c), window, activation=activation
        )

    def pad(self, x, size=1) -> int:
        n, h, w, c = self.shape(x)
        paddings = self.index((0, 0, size, size, size, size, 0, 0), (4, 2))
        return self.operator("PAD", [x, paddings], (n, h + 2 * size, w + 2 * size, c))

    def pool(self, x, kind, kernel=3, stride=1) -> int:
        window, size = self.window(x, kernel, stride)
        return self.operator(kind, [x], (1, *size, self.shape(x)[3]), window)

    def add(self, x, y) -> int:
        return self.operator("ADD", [x, y], self.shape(x))

    def concat(self, *parts) -> int:
        shape = (*self.shape(parts[0])[:3], sum(self.shape(part)[3] for part in parts))
        return self.operator("CONCATENATION", parts, shape, options={"axis": 3})

    def head(self, x, classes=4) -> int:
        _, h, w, c = self.shape(x)
        x = self.operator("AVERAGE_POOL_2D", [x], (1, 1, 1, c), Window((h, w)))
        weights = self.tensor((classes, c), constant=True)
        dtype = "int32" if self.dtype == "int8" else "float32"
        bias = self.tensor((classes,), constant=True, dtype=dtype)
        x = self.operator(
            "FULLY_CONNECTED", [x, weights, bias], (1, classes), options={"keep_num_dims": False}
        )
        return self.operator("SOFTMAX", [x], (1, classes), options={"beta": 1.0})

    def program(self, x, *outputs) -> Program:
        return Program(tuple(self.tensors), tuple(self.operators), (x,), outputs)


def chain(seed: int, dtype: str = "int8") -> Program:
    """Inverted residuals with odd sizes, strides, both paddings and PADs."""
    random = np.random.default_rng(seed)
    a = Assembly(random, dtype)
    start = x = a.tensor((1, *random.integers(9, 24, 2).tolist(), 3))
    for _ in range(random.integers(1, 5)):
        kernel, stride = int(random.choice([1, 3, 5])), int(random.choice([1, 2]))
        step = random.integers(5)
        if step == 0:
            x = a.pad(x)
        elif step == 1:
            x = a.conv(x, 4 * int(random.integers(1, 4)), kernel, stride, same=bool(random.integers(2)))
        elif step == 2:
            x = a.depthwise(x, kernel, stride, same=bool(random.integers(2)))
        else:
            y = a.conv(x, 2 * a.shape(x)[3])
            y = a.depthwise(y, kernel)
            x = a.add(x, a.conv(y, a.shape(x)[3]))
    return a.program(start, a.head(x))


def cell(seed: int, dtype: str = "int8") -> Program:
    """A DAG whose nodes read one or two nodes before them; the last ones are concatenated."""
    random = np.random.default_rng(seed)
    a = Assembly(random, dtype)
    start = a.tensor((1, 8, 8, 3))
    nodes = [a.conv(start, 8, 3)]
    for _ in range(random.integers(2, 7)):
        x, y = (nodes[i] for i in random.integers(len(nodes), size=2))
        made = int(random.integers(4))
        if made == 0:
            nodes.append(a.conv(x, 8, 3, groups=2, bias=bool(random.integers(2))))
        elif made == 1:
            nodes.append(a.pool(x, str(random.choice(["MAX_POOL_2D", "AVERAGE_POOL_2D"]))))
        elif made == 2:
            nodes.append(a.add(x, y))
        else:
            nodes.append(a.conv(a.concat(x, y), 8))
    return a.program(start, a.head(a.concat(nodes[-1], nodes[-2])))
