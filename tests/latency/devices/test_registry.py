"""Options that a device has and those that it has not; the device that a table was measured on."""

from dataclasses import replace

import pytest

from hwnas.latency import QUICK, device, device_like
from hwnas.latency.devices.registry import device_class, device_options, devices

from ..helpers import FAST, IDENTITY


def test_options_that_a_device_lacks_are_named_with_those_that_it_has():
    with pytest.raises(ValueError, match=r"ort-cpu has no option 'layout'; it has batch, level, precision"):
        device("ort-cpu", layout="channels_last")
    with pytest.raises(ValueError, match=r"torch-cpu has no option 'level'; it has batch, compile, layout"):
        device("torch-cpu", level="all")


@pytest.mark.parametrize(
    ("name", "option", "message"),
    [
        ("ort-cpu", {"level": "most"}, "level must be one of disable, basic, extended, all, not 'most'"),
        ("ort-cpu", {"precision": "fp16"}, "precision must be one of fp32, int8, not 'fp16'"),
        ("ort-cpu", {"batch": 0}, "batch must be 1 to 65536, not 0"),
        ("ort-cpu", {"precision": "int8", "level": "basic"}, "int8 needs level extended or all"),
        ("torch-cpu", {"precision": "int8"}, "precision must be one of fp32, bf16, not 'int8'"),
        ("torch-cpu", {"layout": "NHWC"}, "layout must be one of channels_first, channels_last, not 'NHWC'"),
        ("torch-cpu", {"threads": 0}, "threads must be 1 to "),
    ],
)
def test_values_out_of_range_are_named(name, option, message):
    with pytest.raises(ValueError, match=f"{name}: .*{message}"):
        device(name, **option)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("ort-cpu", {}),
        ("ort-cpu", {"level": "disable", "batch": 3}),
        ("ort-cpu", {"level": "extended", "precision": "int8"}),
        ("torch-cpu", {}),
        ("torch-cpu", {"precision": "bf16", "layout": "channels_last", "compile": True, "batch": 8}),
    ],
)
def test_the_device_of_a_card_is_found_with_its_options(name, options):
    made = device(name, protocol=QUICK, **options)
    found = device_like(made.identity())
    assert found.name == name and found.differences(made) == []
    assert {option: getattr(found, option) for option in options} == {
        option: getattr(made, option) for option in options
    }


def test_every_option_changes_the_identity():
    plain = device("torch-cpu")
    for change in ({"precision": "bf16"}, {"layout": "channels_last"}, {"compile": True}, {"batch": 2}):
        (difference,) = plain.differences(device("torch-cpu", **change))
        assert next(iter(change)) in difference


def test_another_machine_is_not_found_and_the_nearest_device_tells_why():
    here = device("ort-cpu", protocol=FAST).identity()
    elsewhere = replace(here, device=replace(here.device, model="another processor"))
    with pytest.raises(ValueError, match=r"\(another processor\): device\.model: 'another processor', not"):
        device_like(elsewhere)


@pytest.mark.parametrize("options", [{"level": "most"}, {"batch": "many"}, {"batch": "9" * 5000}, {}])
def test_cards_of_others_are_data(options):
    with pytest.raises(ValueError, match="this machine is not the one that was measured"):
        device_like(replace(IDENTITY, runtime=replace(IDENTITY.runtime, options=options)))


def test_a_card_cannot_make_a_device_call_another_machine(monkeypatch):
    made = []
    for name in devices():
        original = device_class(name).__init__

        def record(self, *args, _original=original, **options):
            made.append(options)
            _original(self, *args, **options)

        record.__signature__ = __import__("inspect").signature(original)
        monkeypatch.setattr(device_class(name), "__init__", record)
    hostile = {"url": "ssh://x@example.org?option=ProxyCommand=true", "pauses": "1", "protocol": "1"}
    with pytest.raises(ValueError, match="not the one that was measured"):
        device_like(replace(IDENTITY, runtime=replace(IDENTITY.runtime, options=hostile)))
    assert made and all(options.keys() <= {"protocol", "precision", "threads"} for options in made)


def test_every_option_of_a_local_device_is_in_its_card():
    for name in devices():
        kind = device_class(name)
        if name != "ssh":
            assert set(device_options(name)) <= {*kind.options_in_card, "threads", "precision", "protocol"}


@pytest.mark.parametrize("name", ["torch-cuda", "ort-cuda", "ort-tensorrt"])
def test_what_is_not_here_says_what_is_missing(name):
    reason = device_class(name).unavailable()
    if reason is None:
        pytest.skip(f"this machine has {name}")
    assert "CUDA" in reason or "Provider" in reason
    with pytest.raises(ValueError) as caught:
        device(name)
    assert str(caught.value) == f"{name}: {reason}"
