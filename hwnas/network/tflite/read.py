"""Read a `.tflite` file as a program: its own tensor numbers, its own order of execution.

The file is data that nobody vouches for: offsets and lengths are checked by `flatbuffer`, and what the tables
say is checked here before anything is made of it. Operators of any built-in kind are read; whether a runtime
can execute or plan them is not decided here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hwnas.files import read_file
from hwnas.network.program import ITEM_BYTES, Operator, Program, Tensor, UnsupportedOperatorError
from hwnas.network.quantise.quantised import Quantisation, QuantisedProgram
from hwnas.network.tflite.checks import check_quantisation
from hwnas.network.tflite.flatbuffer import Table
from hwnas.network.tflite.schema import (
    ACTIVATION_NAMES,
    DERIVED_FIELDS,
    FILE_IDENTIFIER,
    SCHEMA_VERSION,
    TYPE_NAMES,
    BufferTable,
    Model,
    OperatorTable,
    SubGraph,
    TensorTable,
)
from hwnas.network.tflite.shapes import check_shapes
from hwnas.network.tflite.tables import kind_of, options_of, quantisation_of, shape_of
from hwnas.network.tflite.windows import has_window, read_window

MAX_BYTES = 2**28
MAX_TABLES = 2**16
_MANY_VALUES = 64


@dataclass(frozen=True)
class TfliteFile:
    """What a `.tflite` file holds.

    Attributes:
        program: the operators.
        quantisations: by tensor number; none for a tensor that is not quantised.
        constants: the contents of constant tensors by number; views of the file.
        size_bytes: of the file.
    """

    program: Program
    quantisations: Mapping[int, Quantisation]
    constants: Mapping[int, npt.NDArray[Any]]
    size_bytes: int

    @property
    def quantised(self) -> QuantisedProgram:
        """The program with its numbers, as `write_tflite` takes it."""
        return QuantisedProgram(self.program, self.quantisations, self.constants)


def read_tflite(model: str | Path | bytes | bytearray | memoryview) -> TfliteFile:
    """The program of a `.tflite` file (a path, or its content).

    Raises:
        UnsupportedOperatorError: a custom operator; the message names it.
        ValueError: it is no `.tflite` file, damaged, cut off or too large, or has what is not read: several
            subgraphs, shapes that are not fixed, variable or sparse tensors, data outside the flatbuffer.
        OSError: there is no such file.
    """
    if isinstance(model, (bytes, bytearray, memoryview)):
        data, name = bytes(model), "the model"
    else:
        data, name = read_file(Path(model), MAX_BYTES), str(model)
    if len(data) > MAX_BYTES:
        raise ValueError(f"{name}: {len(data)} bytes are more than the {MAX_BYTES} that are allowed")
    if data[4:8] != FILE_IDENTIFIER:
        raise ValueError(f"{name} is not a .tflite file: it lacks the mark TFL3")
    try:
        return _Reader(data).read()
    except UnsupportedOperatorError as error:
        raise UnsupportedOperatorError(f"{name}: {error}") from error
    except ValueError as error:
        raise ValueError(f"{name} cannot be read as a .tflite file: {error}") from error


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.model = Table.root(data)
        version = self.model.number(Model.VERSION, "Uint32")
        if version != SCHEMA_VERSION:
            raise ValueError(f"it is of schema version {version}, {SCHEMA_VERSION} expected")
        subgraphs = self.model.tables(Model.SUBGRAPHS)
        if len(subgraphs) != 1:
            raise ValueError(f"it has {len(subgraphs)} subgraphs, one expected")
        self.graph = subgraphs[0]
        self.codes = [kind_of(code) for code in self._some(self.model, Model.OPERATOR_CODES)]
        self.buffers = self._some(self.model, Model.BUFFERS)
        self.tensors: list[Tensor] = []
        self.quantisations: dict[int, Quantisation] = {}
        self.constants: dict[int, npt.NDArray[Any]] = {}

    def read(self) -> TfliteFile:
        for number, table in enumerate(self._some(self.graph, SubGraph.TENSORS)):
            self._read_tensor(number, table)
        inputs = self._numbers(self.graph, SubGraph.INPUTS, "the model's inputs")
        outputs = self._numbers(self.graph, SubGraph.OUTPUTS, "the model's outputs")
        operators: list[Operator] = []
        made = set(inputs)
        for position, table in enumerate(self._some(self.graph, SubGraph.OPERATORS)):
            operators.append(self._operator(position, table, made))
        if not inputs or not outputs or not operators:
            raise ValueError("it lacks inputs, outputs or operators")
        if not made.issuperset(outputs):
            raise ValueError("an output of the model is made by no operator")
        if any(self.tensors[number].is_constant for number in inputs):
            raise ValueError("an input of the model is a constant")
        program = Program(tuple(self.tensors), tuple(operators), inputs, outputs)
        return TfliteFile(program, self.quantisations, self.constants, len(self.data))

    # --- tensors

    def _read_tensor(self, number: int, table: Table) -> None:
        name = table.text(TensorTable.NAME) or f"tensor_{number}"
        described = f"tensor {name!r} ({number})"
        shape = shape_of(table, described)
        code = table.number(TensorTable.TYPE, "Int8")
        dtype = TYPE_NAMES.get(code, f"type {code}")
        if dtype not in ITEM_BYTES:
            raise ValueError(f"{described} is of {dtype}; read are {', '.join(ITEM_BYTES)}")
        if table.number(TensorTable.IS_VARIABLE, "Bool", False):
            raise ValueError(
                f"{described} is a variable: state that lasts from one run to the next is not read"
            )
        if table.table(TensorTable.SPARSITY) is not None:
            raise ValueError(f"{described} is sparse, which is not read")
        quantisation = quantisation_of(table.table(TensorTable.QUANTIZATION), len(shape), described)
        content = self._content(table, Tensor(name, shape, dtype), described)
        scales = 0 if quantisation is None else len(quantisation.scales)
        values = None
        if content is not None:
            self.constants[number] = content
            if dtype in ("int32", "int64") and not scales and content.size <= _MANY_VALUES:
                values = tuple(content.ravel().tolist())
        tensor = Tensor(name, shape, dtype, content is not None, scales, values)
        check_quantisation(tensor, quantisation)
        if quantisation is not None:
            self.quantisations[number] = quantisation
        self.tensors.append(tensor)

    def _content(self, table: Table, tensor: Tensor, described: str) -> npt.NDArray[Any] | None:
        """What a constant holds; None for an activation."""
        index = table.number(TensorTable.BUFFER, "Uint32")
        if index >= len(self.buffers):
            raise ValueError(f"{described} is in buffer {index}, of {len(self.buffers)}")
        buffer = self.buffers[index]
        if buffer.number(BufferTable.OFFSET, "Uint64") > 1 or buffer.number(BufferTable.SIZE, "Uint64") > 1:
            raise ValueError(
                f"{described} lies outside the flatbuffer (an external buffer, as LiteRT writes them), where "
                "TFLite Micro does not see it: write the model with its buffers inline"
            )
        start, length = buffer.span(BufferTable.DATA)
        if not length:
            return None
        if length != tensor.bytes:
            raise ValueError(
                f"{described} holds {length} bytes; {tensor.dtype} of {tensor.shape} takes {tensor.bytes}"
            )
        kind = np.dtype(tensor.dtype).newbyteorder("<")
        return np.frombuffer(self.data, kind, tensor.size, start).reshape(tensor.shape)

    # --- operators

    def _operator(self, position: int, table: Table, made: set[int]) -> Operator:
        """The operator at `position`; `made` grows by what it makes."""
        index = table.number(OperatorTable.OPCODE_INDEX, "Uint32")
        if index >= len(self.codes):
            raise ValueError(f"operator {position} is of code {index}, of {len(self.codes)}")
        kind = self.codes[index]
        name = f"{kind}_{position}"
        inputs = self._numbers(table, OperatorTable.INPUTS, f"the inputs of {name}", lowest=-1)
        outputs = self._numbers(table, OperatorTable.OUTPUTS, f"the outputs of {name}")
        for number in inputs:
            if number >= 0 and number not in made and not self.tensors[number].is_constant:
                raise ValueError(f"{name} reads tensor {number}, which nothing before it makes")
        for number in outputs:
            if number in made or self.tensors[number].is_constant:
                raise ValueError(f"{name} makes tensor {number}, which is there already")
            made.add(number)
        fields = options_of(kind, table, name)
        window = None
        if has_window(kind):
            try:
                window = read_window(kind, fields, inputs, outputs, self.tensors)
            except (ValueError, IndexError) as error:
                raise ValueError(f"{name}: {error}") from error
        activation = ACTIVATION_NAMES.get(fields.get("activation", 0))
        if activation is None:
            raise ValueError(f"{name} has an activation of number {fields['activation']}, which TFLite lacks")
        self._check_derived(kind, fields, inputs, outputs, name)
        options = {key: value for key, value in fields.items() if key not in DERIVED_FIELDS}
        operator = Operator(name, kind, inputs, outputs, window, activation, options)
        check_shapes(operator, self.tensors)
        return operator

    def _check_derived(
        self, kind: str, fields: dict[str, Any], inputs: Sequence[int], outputs: Sequence[int], name: str
    ) -> None:
        """Options that follow from the tensors must fit them, since kernels believe either."""
        if fields.get("weights_format"):
            raise ValueError(f"{name} has shuffled weights, which are not read")
        if fields.get("num_splits", len(outputs)) != len(outputs):
            raise ValueError(f"{name} makes {len(outputs)} parts, and says {fields['num_splits']}")
        if kind == "DEPTHWISE_CONV_2D":
            data, weights = (self.tensors[number].shape for number in inputs[:2])
            if fields["depth_multiplier"] * data[-1] != weights[-1]:
                raise ValueError(f"{name} makes {weights[-1]} channels of {data[-1]}, and says otherwise")

    def _numbers(self, table: Table, field: int, described: str, lowest: int = 0) -> tuple[int, ...]:
        """Numbers of tensors."""
        found = table.numbers(field, np.int32)
        numbers = () if found is None else tuple(found.tolist())
        if any(not lowest <= number < len(self.tensors) for number in numbers):
            raise ValueError(f"{described} are tensors {numbers}, of {len(self.tensors)}")
        if lowest == 0 and len(set(numbers)) < len(numbers):
            raise ValueError(f"{described} are tensors {numbers}: one of them twice")
        return numbers

    def _some(self, table: Table, field: int) -> list[Table]:
        found = table.tables(field)
        if len(found) > MAX_TABLES:
            raise ValueError(f"a list of {len(found)}; at most {MAX_TABLES} are read")
        return found
