"""Cards of the GPU devices, where torch and onnxruntime are made to say that there is a GPU."""

from types import SimpleNamespace

import onnxruntime
import pytest
import torch

from hwnas.latency import device, device_like

GPU = SimpleNamespace(
    name="Card", major=9, minor=0, multi_processor_count=132, total_memory=64 << 30, uuid="5f"
)
PROVIDERS = ["TensorrtExecutionProvider", "CUDAExecutionProvider", "CPUExecutionProvider"]


@pytest.fixture(autouse=True)
def a_gpu(monkeypatch):
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda index: GPU)
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: PROVIDERS)


def test_the_card_is_the_gpu_and_names_what_must_not_be_mixed():
    identity = device("torch-cuda", precision="bf16", batch=32, graphs=True).identity()
    card, runtime = identity.device, identity.runtime
    assert (card.kind, card.model, card.cores) == ("gpu", "Card (compute 9.0)", 132)
    assert card.memory_kib == 64 << 20
    assert runtime.precision == "bfloat16"
    stated = {"cuda", "cudnn", "driver", "host", "layout", "compile", "graphs", "batch", "tf32"}
    stated |= {"power_limit", "application_clocks", "mig"}
    assert stated <= runtime.options.keys() and runtime.options["batch"] == "32"


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("torch-cuda", {"graphs": True, "compile": True, "precision": "fp16", "layout": "channels_last"}),
        ("ort-cuda", {"level": "basic", "batch": 32}),
        ("ort-tensorrt", {"precision": "fp16"}),
    ],
)
def test_the_device_of_a_card_is_found_with_its_options(name, options):
    made = device(name, **options)
    found = device_like(made.identity())
    assert found.name == name and found.differences(made) == []
    assert made.differences(device(name))


def test_without_a_gpu_the_provider_alone_is_not_enough(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ValueError, match="ort-cuda: torch sees no CUDA GPU"):
        device("ort-cuda")
