import os
import subprocess
import sys

import pytest

from hwnas.latency import QUICK, Protocol, device, devices
from hwnas.latency.devices.device import Identity
from hwnas.latency.devices.ort_cpu import OrtCpu
from hwnas.latency.devices.registry import register

from ..helpers import CARD, IDENTITY, RUNTIME


def test_unknown_name_lists_the_known_ones():
    with pytest.raises(ValueError, match=r"no device 'gpu'.*ort-cpu"):
        device("gpu")
    assert "ort-cpu" in devices()


def test_a_name_is_registered_once():
    with pytest.raises(ValueError, match="exists already"):
        register("ort-cpu")(OrtCpu)


@pytest.mark.parametrize("threads", [0, -1, 10_000])
def test_threads_are_checked(threads):
    with pytest.raises(ValueError, match=f"threads must be 1 to .* not {threads}"):
        device("ort-cpu", threads=threads)


def test_cards_say_what_is_measured(cpu):
    card, runtime = cpu.describe(), cpu.runtime()
    assert card.kind == "cpu" and card.threads == 1 and card.cores == os.cpu_count() and card.model
    assert runtime.options["level"] == "all" and runtime.options["batch"] == "1"
    assert runtime.precision == "float32"


def test_spinning_is_off_with_several_threads():
    if len(os.sched_getaffinity(0)) < 2:
        pytest.skip("one core only")
    assert device("ort-cpu", threads=2).runtime().options["allow_spinning"] == "0"


def test_differences_name_the_fields(cpu):
    other = device("ort-cpu", protocol=QUICK)
    assert not cpu.compatible_with(other)
    assert any(d.startswith("protocol.rounds: 1, not 3") for d in cpu.differences(other))
    assert cpu.compatible_with(device("ort-cpu", protocol=cpu.protocol))


@pytest.mark.parametrize(
    ("part", "change"),
    [
        ("device", {"model": "B2"}),
        ("device", {"threads": 2}),
        ("device", {"flags_digest": "9"}),
        ("runtime", {"version": "2.0"}),
        ("runtime", {"options": {"spinning": "1"}}),
        ("protocol", {"rounds": 3}),
    ],
)
def test_each_compared_field_is_named(part, change):
    from dataclasses import replace

    other = replace(IDENTITY, **{part: replace(getattr(IDENTITY, part), **change)})
    (difference,) = IDENTITY.differences(other)
    assert difference.startswith((f"{part}.{next(iter(change))}: ", f"{part}.options.spinning: "))


def test_memory_clock_and_system_are_not_compared():
    from dataclasses import replace

    same = replace(CARD, memory_kib=1, maximum_mhz=1, os="other")
    assert Identity(same, RUNTIME, IDENTITY.protocol).differences(IDENTITY) == []


def test_protocol_id_follows_the_numbers():
    assert Protocol().id == "p10-v1"
    assert QUICK.id == "p10-v1-quick"
    ids = {Protocol(rounds=4).id, Protocol(rounds=5).id, Protocol(tolerance=0.05).id}
    assert len(ids) == 3 and all(i.startswith("p10-v1-custom-") for i in ids)


@pytest.mark.parametrize("bad", [{"rounds": 0}, {"passes": 1}, {"tolerance": 0.0}, {"resolution_us": -1.0}])
def test_protocol_numbers_are_checked(bad):
    with pytest.raises(ValueError, match=next(iter(bad))):
        Protocol(**bad)


def test_importing_the_package_is_light():
    heavy = {"torch", "onnx", "onnxruntime", "pandas", "scipy"}
    code = f"import sys, hwnas.latency; print({heavy!r} & set(sys.modules))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "set()"
