"""Trained networks: the .tflite file in TFLite Micro, and int8 ONNX, against the float network."""

import numpy as np
import onnxruntime
import pytest
import torch

from hwnas.network import Builder
from hwnas.network.quantise.qdq import quantised_onnx
from hwnas.network.tflite import read_tflite
from hwnas.network.tflite.interpreter import Interpreter
from hwnas.network.to_tflite import to_tflite
from hwnas.network.to_torch import to_torch
from hwnas.network.weights import module_weights
from hwnas.spaces import NASBench201
from hwnas.spaces.mobile_layers import conv_bn, head, inverted_residual
from hwnas.training import TrainingSettings, load, train
from hwnas.training.tflite_accuracy import tflite_accuracy

from .networks import channels_last, decibels

pytest.importorskip("tflite_micro", reason="the extra hwnas[mcu] is not installed")

RESOLUTION, TESTED = 16, 400
CELL = "|nor_conv_3x3~0|+|avg_pool_3x3~0|nor_conv_1x1~1|+|skip_connect~0|nor_conv_3x3~1|nor_conv_1x1~2|"


def mobile(activation="relu6", **options):
    """A short MobileNetV2, or MobileNetV3."""
    b = Builder()
    x = conv_bn(b, b.input(3, RESOLUTION, RESOLUTION), channels=16, kernel=3, stride=2, activation=activation)
    for channels, stride in ((8, 1), (16, 2), (16, 1), (24, 1)):
        x = inverted_residual(
            b, x, channels=channels, kernel=3, expansion=4, stride=stride, activation=activation, **options
        )
    return b.build(head(b, x, channels=96, classes=10, activation=activation))


def concatenating():
    """Branches of convolutions and pooling, joined; a classifier of a whole map."""
    b = Builder()
    x = conv_bn(b, b.input(3, RESOLUTION, RESOLUTION), channels=16, kernel=3, stride=2, activation="relu")
    for stride in (1, 2):
        branches = [conv_bn(b, x, channels=16, kernel=k, activation="relu") for k in (1, 3)]
        x = b.concat(*branches, b.max_pool(x, kernel=3))
        x = conv_bn(b, x, channels=32, kernel=3, stride=stride, activation="relu6")
        x = b.average_pool(x, kernel=3)
    return b.build(b.linear(x, 10))


NETWORKS = {
    "mobilenetv2": (mobile(), 2),
    "squeeze-excite, hard-swish": (mobile("hard_swish", squeeze_excite=True), 2),
    "nasbench201": (NASBench201(channels=8, cells=1, resolution=RESOLUTION).parse(CELL).network, 2),
    "concat": (concatenating(), 2),
}


@pytest.fixture(scope="module")
def digits():
    return load("digits", resolution=RESOLUTION)


@pytest.fixture(scope="module", params=NETWORKS)
def trained(request, digits):
    """A network, its weights, and its float outputs on test images."""
    network, epochs = NETWORKS[request.param]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        module = to_torch(network)
    settings = TrainingSettings(epochs=epochs, lr=0.2, batch_size=64, augmentation=None)
    assert train(module, digits, settings).accuracy > 0.75
    with torch.no_grad():
        logits = module.eval()(digits.standardise(digits.test_images[:TESTED])).numpy()
    return network, module, logits


def test_the_tflite_file_computes_what_the_network_does(trained, digits, tmp_path):
    network, module, logits = trained
    calibration = digits.batch(256)[0].numpy()
    model = to_tflite(network, tmp_path / "net.tflite", weights=module, images=calibration)
    assert (tmp_path / "net.tflite").read_bytes() == model
    assert read_tflite(model).size_bytes == len(model)

    tests = digits.standardise(digits.test_images[:TESTED]).numpy()
    got = Interpreter(model).run(channels_last(tests))
    assert got.shape == logits.shape
    assert decibels(logits, got) > 25
    assert np.mean(got.argmax(1) == logits.argmax(1)) > 0.975

    labels = digits.test_labels[:TESTED]
    seen = []
    found = tflite_accuracy(
        model,
        digits.test_images[:TESTED],
        labels,
        prepare=digits.standardise,
        progress=lambda done, total: seen.append((done, total)),
    )
    assert found == np.mean(got.argmax(1) == labels.numpy())
    assert abs(found - np.mean(logits.argmax(1) == labels.numpy())) <= 0.02
    assert seen[-1] == (TESTED, TESTED) and len(seen) > 1


def test_int8_onnx_computes_what_the_network_does(trained, digits):
    network, module, logits = trained
    calibration = digits.batch(128)[0].numpy()
    model = quantised_onnx(network, module_weights(network, module), calibration)
    session = onnxruntime.InferenceSession(model)
    tests = digits.standardise(digits.test_images[:TESTED]).numpy()
    name = network.inputs[0].name
    got = np.concatenate([session.run(None, {name: image[None]})[0] for image in tests])
    assert decibels(logits, got) > 25
    assert np.mean(got.argmax(1) == logits.argmax(1)) > 0.975
