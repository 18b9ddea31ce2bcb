"""The flash formats of the runtimes. kB is 1024 bytes.

- `tinyengine`: weights, and for each output channel an int32 bias and a float32 scale, as C arrays;
  TinyEngine's own generator counts the same (469,432 bytes of mcunet-vww1, to the byte).
- `tflm`, `tflm-cmsis-nn`: the `.tflite` file. Each channel of a convolution has a float32 scale and an int64
  zero point for its weights and the same for its bias: 24 bytes. The size of the files that hwnas writes is
  met within 1 % above 20 kB, within 150 bytes below. (Old converters also store the range of every channel,
  8 bytes, which is not counted; of a file that is there, its own size is taken.)
- `onnxruntime`: an int8 ONNX file in QDQ form, with 13 bytes for each channel: scales and zero points of
  weights and biases. No code, since onnxruntime runs where flash is not what limits.

The code of the runtimes on microcontrollers is what published flash (TinyEngine's README, STM32H743) is
above these: for TFLM 718 - 599.5 kB and with CMSIS-NN 736 - 599.5 kB of mcunet-vww1, for TinyEngine 63.5 kB,
within 2 kB on five networks. It depends on the operators and on the compiler. That table's figures of the
ProxylessNAS networks under TinyEngine, 777 and 779 kB, hold no code: their constants alone are 777 kB.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from hwnas.cost.flash.tflite_structure import (
    FILE_BYTES,
    KIND_BYTES,
    name_bytes,
    operator_structure,
    tensor_structure,
)
from hwnas.network.network import Network
from hwnas.network.program import Operator, Program
from hwnas.network.program.lower import lower
from hwnas.network.program.pads import fuse_pads
from hwnas.network.program.weighted import WEIGHTED, bias_of

_KB = 1024
# Protocol buffers of an operator with weights, and of any other: its node, the nodes that quantise its values
# and their names; the mean of four networks of MobileNet's kind, which differ by 0.1 % (of cells: 4 %).
_ONNX_LAYER, _ONNX_OPERATOR = 1968, 790
_ONNX_FREE = ("FILL", "RESHAPE")


@dataclass(frozen=True)
class Flash:
    """Bytes of flash.

    Attributes:
        weights: of all constants that hold numbers of the network, biases left out.
        biases: of convolutions and matrix products.
        quantisation: scales and zero points.
        structure: what the format adds: tables, names, operators.
        code: of the runtime.
    """

    weights: int
    biases: int
    quantisation: int
    structure: int = 0
    code: int = 0

    @property
    def total_bytes(self) -> int:
        """All of it."""
        return self.weights + self.biases + self.quantisation + self.structure + self.code


@dataclass(frozen=True)
class Format:
    """A runtime's format.

    Attributes:
        fuses_pads: whether convolutions pad by themselves.
        content: what the operators and tensors of a program take, but for names; a sum over them.
        has_names: whether the names of tensors are stored.
        file_bytes: of every file.
        kind_bytes: of each kind of operator in it.
        code: of the runtime.
    """

    fuses_pads: bool
    content: Callable[[Program], Flash]
    has_names: bool = False
    file_bytes: int = 0
    kind_bytes: int = 0
    code: int = 0

    def program(self, source: Network | Program) -> Program:
        """What the runtime executes of `source`, int8 where that is a network."""
        if isinstance(source, Network):
            return lower(source, fused_pad=self.fuses_pads)
        return fuse_pads(source) if self.fuses_pads else source


def flash(source: Network | Program, runtime: str, *, tflite_bytes: int | None = None) -> Flash:
    """The flash that `source` needs under `runtime`, as int8 network where it is a Network.

    Args:
        source: what is stored.
        runtime: a name in `FORMATS`.
        tflite_bytes: size of the .tflite file that a program was read from. Where the runtime stores that
            file, it is what counts: `structure` is what remains of it (below 0 if tensors share their data).

    Raises:
        UnsupportedOperatorError: the network has an operator that TFLite lacks.
        ValueError: a runtime without a format of its own; the message names those that have one.
    """
    found = get_format(runtime)
    program = found.program(source)
    content = found.content(program)
    if not found.has_names:
        return replace(content, code=found.code)
    if tflite_bytes is not None:
        numbers = content.weights + content.biases + content.quantisation
        return replace(content, structure=tflite_bytes - numbers, code=found.code)
    names = sum([name_bytes(tensor.name) for tensor in program.tensors])
    kinds = found.kind_bytes * len({operator.kind for operator in program.operators})
    structure = content.structure + names + kinds + found.file_bytes
    return replace(content, structure=structure, code=found.code)


def get_format(runtime: str) -> Format:
    """The format of a runtime.

    Raises:
        ValueError: it has none.
    """
    if runtime not in FORMATS:
        raise ValueError(f"runtime {runtime!r} has no flash format; those that have: {', '.join(FORMATS)}")
    return FORMATS[runtime]


def _tinyengine(program: Program) -> Flash:
    weights, _ = _constants(program)
    channels = sum([program.tensors[o.outputs[0]].shape[-1] for o in program.operators if o.kind in WEIGHTED])
    return Flash(weights, 4 * channels, 4 * channels)


def _tflite(program: Program) -> Flash:
    weights, biases = _constants(program)
    quantisation = 12 * sum([tensor.scales for tensor in program.tensors])
    tensors = sum([tensor_structure(tensor) for tensor in program.tensors])
    return Flash(weights, biases, quantisation, tensors + sum(map(operator_structure, program.operators)))


def _onnx(program: Program) -> Flash:
    weights, biases = _constants(program)
    structure = sum(
        [
            _ONNX_LAYER if operator.kind in WEIGHTED else _ONNX_OPERATOR
            for operator in program.operators
            if operator.kind not in _ONNX_FREE
        ]
    )
    return Flash(weights, biases, 13 * (biases // 4), structure)


def _constants(program: Program) -> tuple[int, int]:
    """Bytes of weights and of biases; what only describes an operator (axes, paddings) is neither."""
    biases = {number for operator in program.operators for number in _biases(operator)}
    weights = sum(
        [t.bytes for i, t in enumerate(program.tensors) if t.is_constant and t.scales and i not in biases]
    )
    return weights, sum([program.tensors[number].bytes for number in biases])


def _biases(operator: Operator) -> tuple[int, ...]:
    number = bias_of(operator) if operator.kind in WEIGHTED else -1
    return () if number < 0 else (number,)


def _tflm(code_kb: float) -> Format:
    code = round(code_kb * _KB)
    return Format(False, _tflite, has_names=True, file_bytes=FILE_BYTES, kind_bytes=KIND_BYTES, code=code)


FORMATS: dict[str, Format] = {
    "tinyengine": Format(True, _tinyengine, code=round(63.5 * _KB)),
    "tflm": _tflm(118.5),
    "tflm-cmsis-nn": _tflm(136.5),
    "onnxruntime": Format(True, _onnx),
}
"""By the name of the runtime; `liveness` is none that stores anything."""
