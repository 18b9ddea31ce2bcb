"""Quantisation after training: int8 programs of float networks."""

from hwnas.network.quantise.placeholder import placeholder
from hwnas.network.quantise.quantise import quantise
from hwnas.network.quantise.quantised import Quantisation, QuantisedProgram

__all__ = ["Quantisation", "QuantisedProgram", "placeholder", "quantise"]
