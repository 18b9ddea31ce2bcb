"""Write a program with its numbers as a `.tflite` file: one subgraph, all data inline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import flatbuffers
import numpy as np
import numpy.typing as npt

from hwnas.network.program import Operator, UnsupportedOperatorError
from hwnas.network.quantise.quantised import QuantisedProgram
from hwnas.network.tflite.checks import check_constant, check_quantisation
from hwnas.network.tflite.schema import (
    ACTIVATIONS,
    CODES,
    FILE_IDENTIFIER,
    LARGEST_OLD_CODE,
    OPTIONS,
    SCHEMA_VERSION,
    TYPES,
    BufferTable,
    Model,
    OperatorCode,
    OperatorTable,
    Options,
    QuantizationParameters,
    SubGraph,
    TensorTable,
)
from hwnas.network.tflite.versions import version_of
from hwnas.network.tflite.windows import has_window, window_fields

_ALIGNMENT = 16


class _Number(NamedTuple):
    """A number in a table: the name of its type in flatbuffers, its value, and what an absent one means."""

    type: str
    value: Any
    default: Any = 0


_Fields = Mapping[int, _Number | int | None]
"""The fields of a table by number: numbers, places of what was written before, or nothing."""


def write_tflite(quantised: QuantisedProgram) -> bytes:
    """The `.tflite` file of a program, int8 or float32; its tensors keep their numbers.

    Equal programs give equal bytes.

    Raises:
        UnsupportedOperatorError: an operator that is not written; the message names it.
        ValueError: a constant without content, or of another shape or dtype than its tensor; a quantisation
            that does not fit its tensor; a window whose padding is neither SAME nor VALID; a tensor that is
            an output twice.
    """
    return _Writer(quantised).file()


class _Writer:
    """Writes tables from the innermost to the outermost, as flatbuffers are."""

    def __init__(self, quantised: QuantisedProgram) -> None:
        self.program = quantised.program
        self.quantised = quantised
        self._check_outputs()
        size = sum(tensor.bytes for tensor in self.program.tensors if tensor.is_constant)
        self.builder: Any = flatbuffers.Builder(size + 512 * len(self.program.tensors) + 1024)
        self.codes: dict[tuple[str, int], int] = {}
        self.constants = [number for number, tensor in enumerate(self.program.tensors) if tensor.is_constant]

    def file(self) -> bytes:
        subgraph = self._subgraph()
        codes = [self._code(kind, version) for kind, version in self.codes]
        fields: _Fields = {
            Model.VERSION: _Number("Uint32", SCHEMA_VERSION),
            Model.OPERATOR_CODES: self._places(codes),
            Model.SUBGRAPHS: self._places([subgraph]),
            Model.DESCRIPTION: self.builder.CreateString("hwnas"),
            Model.BUFFERS: self._places([self._table({}), *(self._buffer(n) for n in self.constants)]),
        }
        self.builder.Finish(self._table(fields), FILE_IDENTIFIER)
        return bytes(self.builder.Output())

    def _check_outputs(self) -> None:
        outputs = self.program.outputs
        for number in outputs:
            if outputs.count(number) > 1:
                name = self.program.tensors[number].name
                raise ValueError(f"output {name} is given {outputs.count(number)} times; once can be written")

    def _subgraph(self) -> int:
        program = self.program
        buffers = {number: index for index, number in enumerate(self.constants, start=1)}
        return self._table(
            {
                SubGraph.TENSORS: self._places(
                    [self._tensor(number, buffers.get(number, 0)) for number in range(len(program.tensors))]
                ),
                SubGraph.INPUTS: self._vector(program.inputs, np.int32),
                SubGraph.OUTPUTS: self._vector(program.outputs, np.int32),
                SubGraph.OPERATORS: self._places([self._operator(o) for o in program.operators]),
                SubGraph.NAME: self.builder.CreateString("main"),
            }
        )

    def _tensor(self, number: int, buffer: int) -> int:
        tensor = self.program.tensors[number]
        return self._table(
            {
                TensorTable.SHAPE: self._vector(tensor.shape, np.int32),
                TensorTable.TYPE: _Number("Int8", TYPES[tensor.dtype]),
                TensorTable.BUFFER: _Number("Uint32", buffer),
                TensorTable.NAME: self.builder.CreateString(tensor.name),
                TensorTable.QUANTIZATION: self._quantisation(number),
            }
        )

    def _quantisation(self, number: int) -> int | None:
        quantisation = self.quantised.quantisations.get(number)
        check_quantisation(self.program.tensors[number], quantisation)
        if quantisation is None:
            return None
        zero_points = np.full(len(quantisation.scales), quantisation.zero_point)
        return self._table(
            {
                QuantizationParameters.SCALE: self._vector(quantisation.scales, np.float32),
                QuantizationParameters.ZERO_POINT: self._vector(zero_points, np.int64),
                QuantizationParameters.QUANTIZED_DIMENSION: _Number("Int32", quantisation.axis),
            }
        )

    def _operator(self, operator: Operator) -> int:
        options = OPTIONS.get(operator.kind)
        if options is None:
            raise UnsupportedOperatorError(
                f"operator {operator.name}: {operator.kind} is not written to .tflite"
            )
        code = (operator.kind, version_of(operator, self.program))
        return self._table(
            {
                OperatorTable.OPCODE_INDEX: _Number("Uint32", self.codes.setdefault(code, len(self.codes))),
                OperatorTable.INPUTS: self._vector(_given(operator.inputs), np.int32),
                OperatorTable.OUTPUTS: self._vector(operator.outputs, np.int32),
                OperatorTable.BUILTIN_OPTIONS_TYPE: _Number("Uint8", options.union),
                OperatorTable.BUILTIN_OPTIONS: self._options(operator, options) if options.union else None,
            }
        )

    def _options(self, operator: Operator, options: Options) -> int:
        given: dict[str, Any] = {"activation": ACTIVATIONS[operator.activation], **operator.options}
        given["num_splits"] = len(operator.outputs)
        if has_window(operator.kind):
            given |= window_fields(operator, self.program.tensors)
        return self._table(
            {
                field.number: _Number(field.type, given.get(name, field.usual), field.default)
                for name, field in options.fields.items()
            }
        )

    def _code(self, kind: str, version: int) -> int:
        code = CODES[kind]
        return self._table(
            {
                OperatorCode.DEPRECATED_BUILTIN_CODE: _Number("Int8", min(code, LARGEST_OLD_CODE)),
                OperatorCode.VERSION: _Number("Int32", version, 1),
                OperatorCode.BUILTIN_CODE: _Number("Int32", code),
            }
        )

    def _buffer(self, number: int) -> int:
        content = self.quantised.constants.get(number)
        data = check_constant(self.program.tensors[number], content)
        # The padding that makes the data itself start at a multiple.
        self.builder.Prep(_ALIGNMENT, len(data))
        return self._table({BufferTable.DATA: self.builder.CreateByteVector(data)})

    # --- what flatbuffers consist of

    def _table(self, fields: _Fields) -> int:
        builder = self.builder
        builder.StartObject(max(fields, default=-1) + 1)
        for number, content in fields.items():
            if isinstance(content, _Number):
                getattr(builder, f"Prepend{content.type}Slot")(number, content.value, content.default)
            elif content is not None:
                builder.PrependUOffsetTRelativeSlot(number, content, 0)
        return int(builder.EndObject())

    def _vector(self, numbers: Sequence[int] | npt.NDArray[Any], dtype: npt.DTypeLike) -> int:
        return int(self.builder.CreateNumpyVector(np.asarray(numbers, dtype)))

    def _places(self, places: Sequence[int]) -> int:
        self.builder.StartVector(4, len(places), 4)
        for place in reversed(places):
            self.builder.PrependUOffsetTRelative(place)
        return int(self.builder.EndVector())


def _given(inputs: tuple[int, ...]) -> tuple[int, ...]:
    """Without the optional inputs that are left out at the end; TFLite Micro crashes on some that say so."""
    while inputs and inputs[-1] < 0:
        inputs = inputs[:-1]
    return inputs
