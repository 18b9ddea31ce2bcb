"""A tiny `.tflite` file (one RELU), made with the schema package's own functions, and odd variants of it."""

from __future__ import annotations

import flatbuffers
import numpy as np
import tflite
from tflite.Buffer import BufferAddOffset, BufferAddSize, BufferEnd, BufferStart
from tflite.Operator import (
    OperatorAddInputs,
    OperatorAddOpcodeIndex,
    OperatorAddOutputs,
    OperatorEnd,
    OperatorStart,
)
from tflite.OperatorCode import (
    OperatorCodeAddBuiltinCode,
    OperatorCodeAddCustomCode,
    OperatorCodeAddDeprecatedBuiltinCode,
    OperatorCodeEnd,
    OperatorCodeStart,
)
from tflite.SparsityParameters import SparsityParametersEnd, SparsityParametersStart
from tflite.SubGraph import (
    SubGraphAddInputs,
    SubGraphAddOperators,
    SubGraphAddOutputs,
    SubGraphAddTensors,
    SubGraphEnd,
    SubGraphStart,
)
from tflite.Tensor import (
    TensorAddBuffer,
    TensorAddIsVariable,
    TensorAddName,
    TensorAddShape,
    TensorAddShapeSignature,
    TensorAddSparsity,
    TensorAddType,
    TensorEnd,
    TensorStart,
)

from tflite.Model import (  # isort: skip
    ModelAddBuffers,
    ModelAddOperatorCodes,
    ModelAddSubgraphs,
    ModelAddVersion,
    ModelEnd,
    ModelStart,
)


def relu_file(
    *,
    shape=(1, 4),
    signature=None,
    type_code=tflite.TensorType.FLOAT32,
    is_variable=False,
    is_sparse=False,
    external=False,
    subgraphs=1,
    custom=None,
    code=tflite.BuiltinOperator.RELU,
    reads=0,
    version=3,
    output_shape=None,
) -> bytes:
    b = flatbuffers.Builder(1024)

    def vector(tables):
        b.StartVector(4, len(tables), 4)
        for table in reversed(tables):
            b.PrependUOffsetTRelative(table)
        return b.EndVector()

    def tensor(name, shape, buffer):
        text = b.CreateString(name)
        dims = b.CreateNumpyVector(np.array(shape, np.int32))
        signed = None if signature is None else b.CreateNumpyVector(np.array(signature, np.int32))
        sparsity = None
        if is_sparse:
            SparsityParametersStart(b)
            sparsity = SparsityParametersEnd(b)
        TensorStart(b)
        TensorAddShape(b, dims)
        TensorAddType(b, type_code)
        TensorAddBuffer(b, buffer)
        TensorAddName(b, text)
        TensorAddIsVariable(b, is_variable)
        if sparsity is not None:
            TensorAddSparsity(b, sparsity)
        if signed is not None:
            TensorAddShapeSignature(b, signed)
        return TensorEnd(b)

    def graph():
        tensors = vector([tensor("in", shape, 0), tensor("out", output_shape or shape, 1)])
        inputs, outputs = (b.CreateNumpyVector(np.array([n], np.int32)) for n in (0, 1))
        read = b.CreateNumpyVector(np.array([reads], np.int32))
        OperatorStart(b)
        OperatorAddOpcodeIndex(b, 0)
        OperatorAddInputs(b, read)
        OperatorAddOutputs(b, outputs)
        operators = vector([OperatorEnd(b)])
        SubGraphStart(b)
        SubGraphAddTensors(b, tensors)
        SubGraphAddInputs(b, inputs)
        SubGraphAddOutputs(b, outputs)
        SubGraphAddOperators(b, operators)
        return SubGraphEnd(b)

    def buffer(is_external):
        BufferStart(b)
        if is_external:
            BufferAddOffset(b, 4096)
            BufferAddSize(b, 16)
        return BufferEnd(b)

    graphs = vector([graph() for _ in range(subgraphs)])
    text = None if custom is None else b.CreateString(custom)
    OperatorCodeStart(b)
    OperatorCodeAddDeprecatedBuiltinCode(b, 32 if custom else min(code, 127))
    OperatorCodeAddBuiltinCode(b, 32 if custom else code)
    if text is not None:
        OperatorCodeAddCustomCode(b, text)
    codes = vector([OperatorCodeEnd(b)])
    buffers = vector([buffer(False), buffer(external)])
    ModelStart(b)
    ModelAddVersion(b, version)
    ModelAddOperatorCodes(b, codes)
    ModelAddSubgraphs(b, graphs)
    ModelAddBuffers(b, buffers)
    b.Finish(ModelEnd(b), b"TFL3")
    return bytes(b.Output())
