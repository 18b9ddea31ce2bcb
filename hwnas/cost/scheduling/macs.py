"""Multiply-accumulates of the operators of a program."""

from __future__ import annotations

import math

from hwnas.network.program import Operator, Program


def operator_macs(program: Program, operator: Operator) -> int:
    """Multiply-accumulates of `operator`; 0 for what is no convolution and no matrix product."""
    if operator.kind in ("CONV_2D", "DEPTHWISE_CONV_2D"):
        return program.tensors[operator.outputs[0]].size * macs_per_output(program, operator)
    if operator.kind == "FULLY_CONNECTED":
        weight = program.tensors[operator.inputs[1]]
        return program.tensors[operator.outputs[0]].size * weight.shape[-1]
    if operator.kind == "TRANSPOSE_CONV":
        weight, data = (program.tensors[number] for number in operator.inputs[1:3])
        return data.size * math.prod(weight.shape[:3])
    if operator.kind == "BATCH_MATMUL":
        left = program.tensors[operator.inputs[0]]
        return program.tensors[operator.outputs[0]].size * left.shape[-1]
    return 0


def macs_per_output(program: Program, operator: Operator) -> int:
    """Multiply-accumulates for each output of a convolution; 0 for other operators."""
    if operator.kind == "CONV_2D":
        return math.prod(program.tensors[operator.inputs[1]].shape[1:])
    if operator.kind == "DEPTHWISE_CONV_2D":
        return math.prod(program.tensors[operator.inputs[1]].shape[1:3])
    return 0
