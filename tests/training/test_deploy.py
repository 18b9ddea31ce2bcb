"""Int8 files of trained networks, tested on images."""

import sys
from dataclasses import replace

import pytest

from hwnas.network import Builder
from hwnas.network.tflite import Interpreter
from hwnas.network.to_torch import to_torch
from hwnas.network.weights import module_weights
from hwnas.training import deploy as module
from hwnas.training import deploy_onnx, deploy_tflite

from .networks import dark_and_light

DATA = dark_and_light(side=8)


def classifier(classes=2, shape=(3, 8, 8)):
    b = Builder()
    return b.build(b.linear(b.global_average_pool(b.relu(b.conv(b.input(*shape), 4))), classes))


def maps():
    b = Builder()
    return b.build(b.conv(b.input(3, 8, 8), 2))


def two_heads():
    b = Builder()
    x = b.global_average_pool(b.conv(b.input(3, 8, 8), 4))
    return b.build(b.linear(x, 2), b.linear(x, 2))


def random_weights(network):
    return module_weights(network, to_torch(network))


def test_the_file_is_tested_on_a_seeded_choice_of_the_images(monkeypatch):
    pytest.importorskip("tflite_micro", reason="the extra hwnas[mcu] is not installed")
    network = classifier()
    weights = random_weights(network)
    seen = []
    whole = deploy_tflite(network, weights, DATA, progress=lambda *counts: seen.append(counts))
    assert whole.tested == len(DATA.test_labels) == 32 and seen == [(32, 32)]
    assert whole.arena == Interpreter(whole.model).arena
    monkeypatch.setattr(module, "TESTED", 10)
    some = deploy_tflite(network, weights, DATA, seed=1)
    assert some.tested == 10 and some.accuracy in [i / 10 for i in range(11)]
    assert deploy_tflite(network, weights, DATA, seed=1) == some


def test_onnx_is_tested_on_all_images():
    network = classifier()
    found = deploy_onnx(network, random_weights(network), DATA)
    assert found.tested == 32 and found.arena is None


UNFIT = {
    "classes": (classifier(10), r"the network tells 10 classes apart, but there are 2 in dark-and-light"),
    "size": (classifier(shape=(3, 8, 6)), r"takes images of \[3, 8, 6\], but they are \[3, 8, 8\]"),
    "channels": (classifier(shape=(1, 8, 8)), r"takes images of \[1, 8, 8\]"),
    "maps": (maps(), r"has inputs of \[3, 8, 8\] and outputs of \[2, 8, 8\]; one image .* one vector"),
    "two outputs": (two_heads(), r"outputs of \[2\], \[2\]; one image"),
}


@pytest.mark.parametrize("deploy", [deploy_tflite, deploy_onnx])
@pytest.mark.parametrize("case", UNFIT)
def test_what_does_not_classify_these_images_is_refused_before_the_work(case, deploy):
    network, says = UNFIT[case]
    with pytest.raises(ValueError, match=says):
        deploy(network, {}, DATA)


def test_the_missing_interpreter_is_found_before_the_work(monkeypatch):
    monkeypatch.setitem(sys.modules, "tflite_micro", None)
    with pytest.raises(ImportError, match=r"pip install 'hwnas\[mcu\]'"):
        deploy_tflite(classifier(), {}, replace(DATA, train_images=DATA.train_images[:0]))
