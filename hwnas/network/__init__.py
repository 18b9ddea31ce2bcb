"""The network representation and its readers."""

from hwnas.network.builder import Builder
from hwnas.network.network import Block, Layer, Network, Parameter, Shape, Value
from hwnas.network.operators import UnknownOperatorError

__all__ = ["Block", "Builder", "Layer", "Network", "Parameter", "Shape", "UnknownOperatorError", "Value"]
