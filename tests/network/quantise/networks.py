"""Small networks, their float outputs, and their int8 outputs in TFLite Micro's own kernels."""

import numpy as np

from hwnas.network import Builder
from hwnas.network.quantise.activations import activations
from hwnas.network.quantise.quantise import quantise
from hwnas.network.tflite import write_tflite
from hwnas.network.tflite.interpreter import Interpreter
from hwnas.network.weights import random_weights

SHAPE = (4, 9, 8)


def network(describe, shape=SHAPE):
    b = Builder()
    return b.build(describe(b, b.input(*shape)))


def images(count=64, shape=SHAPE, seed=0):
    return np.random.default_rng(seed).standard_normal((count, *shape)).astype(np.float32)


def weights_of(net, seed=0):
    """Random weights, with biases, gains and statistics that are not those of an untrained network."""
    rng = np.random.default_rng(seed)
    found = dict(random_weights(net, seed))
    for name, parameter in net.parameters.items():
        if parameter.constant is None and len(parameter.shape) == 1:
            noise = rng.uniform(0.5, 2, parameter.shape)
            signed = rng.standard_normal(parameter.shape)
            values = noise if name.endswith(("running_var", "weight")) else signed
            found[name] = values.astype(np.float32)
    return found


def channels_last(x):
    return np.moveaxis(x, 1, 3) if x.ndim == 4 else x


def exact(net, weights, x):
    """The float outputs, channels last."""
    name = net.flat_outputs[0].name
    return channels_last(np.concatenate([b[name] for b in activations(net, weights, x, [name])]))


def int8(net, weights, x, **options):
    """The outputs of the int8 program in TFLite Micro, as real numbers."""
    model = write_tflite(quantise(net, weights, x, **options))
    return Interpreter(model).run(channels_last(x))


def decibels(wanted, got):
    """Signal to quantisation noise."""
    return 10 * np.log10(np.square(wanted).sum() / np.square(wanted - got).sum())
