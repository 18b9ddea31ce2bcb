"""Values for the parameters of a network, by parameter name, as float32 arrays."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from hwnas.network.network import Network, Parameter

Weights: TypeAlias = Mapping[str, npt.NDArray[np.float32]]


def random_weights(network: Network, seed: int = 0) -> Weights:
    """He-normal weights, zero biases, unit gains and statistics: fit for timing, not for use."""
    generator = np.random.default_rng(seed)
    return {parameter.name: _initial(parameter, generator) for parameter in network.parameters.values()}


def module_weights(network: Network, module: Any) -> Weights:
    """The parameters of the torch module that `to_torch` made of `network`.

    Raises:
        ValueError: the module lacks a parameter of the network, or has it in another shape.
    """
    state = module.state_dict()
    weights: dict[str, npt.NDArray[np.float32]] = {}
    for parameter in network.parameters.values():
        if parameter.constant is not None:
            weights[parameter.name] = _constant(parameter)
            continue
        if parameter.name not in state:
            raise ValueError(
                f"the module has no parameter {parameter.name!r}: was it made from this network?"
            )
        array = state[parameter.name].detach().cpu().float().numpy()
        if array.shape != parameter.shape:
            raise ValueError(
                f"parameter {parameter.name!r} has shape {array.shape} in the module, {parameter.shape} here"
            )
        weights[parameter.name] = array
    return weights


def _initial(parameter: Parameter, generator: np.random.Generator) -> npt.NDArray[np.float32]:
    if parameter.constant is not None:
        return _constant(parameter)
    if len(parameter.shape) >= 2:
        fan_in = math.prod(parameter.shape[1:])
        values = generator.standard_normal(parameter.shape, dtype=np.float32)
        return values * np.float32(math.sqrt(2 / fan_in))
    fill = 1.0 if parameter.name.endswith(("weight", "running_var")) else 0.0
    return np.full(parameter.shape, fill, dtype=np.float32)


def _constant(parameter: Parameter) -> npt.NDArray[np.float32]:
    return np.asarray(parameter.constant, dtype=np.float32).reshape(parameter.shape)
