"""Arm's compiler as a device: against its estimates of third-party files, and what it does with bad ones."""

import csv
import signal
from importlib.metadata import PackageNotFoundError

import pytest

pytest.importorskip("ethosu", reason="ethos-u-vela is not installed (extra mcu)")

from hwnas.latency import Entry, ModelFailedError, device, device_like, devices, fit, measure, measure_onnx
from hwnas.latency.devices import vela_compiler
from hwnas.latency.devices.registry import device_class
from hwnas.latency.devices.vela_compiler import ACCELERATORS, VelaCompiler, VelaError, vela_estimate
from hwnas.latency.measuring.measure import latency_ms
from hwnas.latency.tables.plausible import findings
from hwnas.latency.timing.protocol import ESTIMATE
from hwnas.network import Builder
from hwnas.network.program.lower import lower
from hwnas.network.quantise import placeholder
from hwnas.network.tflite import write_tflite
from hwnas.network.to_onnx import to_onnx
from tests.conftest import DATA
from tests.latency.helpers import small_network

FIELDS = ("network", "accelerator", "system", "sram", "flash", "macs", "npu", "cycles", "ms", "share")


def sweep():
    """The committed estimates of files that are at hand; other lines of the file are no rows."""
    path = DATA / "mcu" / "vela_sweep.csv"
    if not path.exists():
        pytest.skip(f"no sweep {path}: set HWNAS_TEST_DATA")
    rows = [dict(zip(FIELDS, row, strict=True)) for row in csv.reader(path.open()) if len(row) == len(FIELDS)]
    return [row for row in rows if (DATA / "mcu" / "models" / f"{row['network']}.tflite").exists()]


@pytest.fixture(scope="module")
def compiler():
    with VelaCompiler() as made:
        yield made


def test_the_sweep_to_the_cycle(compiler):
    rows = sweep()
    assert len(rows) == 3 * len(ACCELERATORS)
    for row in rows:
        content = (DATA / "mcu" / "models" / f"{row['network']}.tflite").read_bytes()
        found = compiler.estimate(content, row["accelerator"])
        assert (found.cycles, found.npu_cycles, found.macs) == (
            int(row["cycles"]),
            int(row["npu"]),
            int(row["macs"]),
        )
        assert found.sram_bytes == 1024 * float(row["sram"])
        assert found.flash_bytes == 1024 * float(row["flash"])
        assert found.latency_ms == pytest.approx(float(row["ms"]), abs=1e-4)
        assert ACCELERATORS[row["accelerator"]] == row["system"]


def tflite(network):
    return write_tflite(placeholder(lower(network)))


def test_two_runs_are_equal_and_layers_sum_to_the_network(compiler):
    content = tflite(small_network(16, 3))
    alone = vela_estimate(content, "ethos-u55-64")
    assert alone == compiler.estimate(content, "ethos-u55-64") == compiler.estimate(content, "ethos-u55-64")
    assert sum(layer.macs for layer in alone.layers) == alone.macs
    assert alone.clock_mhz == 500 and alone.on_cpu == ()


def test_more_multipliers_are_faster_and_more_channels_slower(compiler):
    contents = [tflite(small_network(channels, 4)) for channels in (16, 32, 64)]
    for content in contents:
        cycles = [compiler.estimate(content, f"ethos-u55-{n}").cycles for n in (32, 64, 128, 256)]
        assert cycles == sorted(cycles, reverse=True)
    by_channels = [compiler.estimate(content, "ethos-u55-128").latency_ms for content in contents]
    assert by_channels == sorted(by_channels)


def test_all_accelerators_are_devices_that_say_what_they_are():
    assert {f"vela-{name}" for name in ACCELERATORS} <= set(devices())
    made = device("vela-ethos-u85-256")
    assert "not measured" in made.describe().model and made.runtime().name == "ethos-u-vela"
    assert made.identity().protocol.id == "estimate-v1"
    assert not made.compatible_with(device("vela-ethos-u85-512"))
    assert device_like(made.identity()).name == made.name
    with pytest.raises(ValueError, match="has no option 'threads'; it has none"):
        device("vela-ethos-u55-32", threads=1)


def test_a_table_of_estimates(tmp_path, compiler):
    networks = [small_network(channels, repeats) for channels in (8, 16) for repeats in range(1, 6)]
    on = device("vela-ethos-u55-128")
    table = measure(networks, on, folder=tmp_path)
    assert findings(table) == [] and table.meta.identity.protocol == ESTIMATE
    direct = [compiler.estimate(tflite(network), "ethos-u55-128").latency_ms for network in networks]
    assert [table[network.key].latency_ms for network in networks] == pytest.approx(direct, abs=1e-6)
    assert measure(networks, on, folder=tmp_path).entries == table.entries
    assert len((tmp_path / "journal.jsonl").read_text().splitlines()) == 2
    fitted = fit(table, kind="lookup")
    assert fitted.predict(networks) == pytest.approx(direct, rel=0.1)
    assert [entry.latency_ms for entry in latency_ms(networks[:2], on)] == pytest.approx(direct[:2], abs=1e-6)


def test_an_onnx_file(tmp_path, compiler):
    network = small_network()
    path = tmp_path / "net.onnx"
    path.write_bytes(to_onnx(network).SerializeToString())
    entry = measure_onnx(path, device("vela-ethos-u65-256"))
    assert isinstance(entry, Entry) and entry.p10_us == entry.p90_us
    assert entry.latency_ms == pytest.approx(
        compiler.estimate(tflite(network), "ethos-u65-256").latency_ms, abs=1e-6
    )


def test_what_the_accelerator_cannot_do_is_named():
    b = Builder()
    unknown = b.build(b.layer("Erf", b.input(8, 8, 8)))
    table = measure([unknown], device("vela-ethos-u55-128"), blocks=False)
    (failed,) = table
    assert failed.failed and "Erf has no form in TFLite" in failed.reason


def test_operators_left_to_the_processor_are_refused_by_the_device(compiler):
    content = write_tflite(placeholder(lower(small_network(), float_input=True)))
    found = compiler.estimate(content, "ethos-u55-128")
    assert [name.split()[0] for name in found.on_cpu] == ["Quantize"]


@pytest.mark.parametrize(
    "damage", [lambda t: b"", lambda t: b"no tflite" * 8, lambda t: t[:200], lambda t: t[:-300]]
)
def test_a_bad_file_is_refused_and_the_next_one_compiled(compiler, damage):
    content = tflite(small_network())
    with pytest.raises(VelaError, match="Vela refuses it for ethos-u55-32: "):
        compiler.estimate(damage(content), "ethos-u55-32")
    assert compiler.estimate(content, "ethos-u55-32").cycles > 0


def test_a_hanging_compiler_is_ended(monkeypatch):
    with VelaCompiler() as compiler:
        expected = compiler.estimate(tflite(small_network()), "ethos-u55-32")
        assert compiler._process is not None
        compiler._process.send_signal(signal.SIGSTOP)
        with monkeypatch.context() as patience:
            patience.setattr(vela_compiler, "PATIENCE_S", 0.5)
            with pytest.raises(VelaError, match=r"no answer in 0\.5 s"):
                compiler.estimate(tflite(small_network()), "ethos-u55-32")
        assert compiler.estimate(tflite(small_network()), "ethos-u55-32") == expected


def test_what_the_accelerator_executes_nothing_of(compiler):
    b = Builder()
    with pytest.raises(VelaError, match="ethos-u55-128 executes nothing of it; it computes nothing"):
        compiler.estimate(tflite(b.build(b.input(8, 8, 8))), "ethos-u55-128")
    b = Builder()
    only_converted = write_tflite(placeholder(lower(b.build(b.input(8, 8, 8)), float_input=True)))
    with pytest.raises(VelaError, match="executes nothing of it; it leaves all to the processor: Quantize "):
        compiler.estimate(only_converted, "ethos-u55-128")


@pytest.mark.parametrize(
    ("module", "says"),
    [
        ("raise OSError('libc is too old')", "OSError: libc is too old"),
        ("import os; os._exit(1)", "its process ended"),
    ],
)
def test_a_broken_installation_is_not_the_networks_fault(tmp_path, monkeypatch, module, says):
    (tmp_path / "ethosu" / "vela").mkdir(parents=True)
    for name in ("__init__", "vela/__init__"):
        (tmp_path / "ethosu" / f"{name}.py").touch()
    (tmp_path / "ethosu" / "vela" / "vela.py").write_text(module)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(ValueError, match=f"ethos-u-vela is installed but does not start: {says}") as told:
        measure([small_network()], device("vela-ethos-u55-32"))
    assert not isinstance(told.value, ModelFailedError | VelaError)


def test_unknown_accelerators(compiler):
    with pytest.raises(ValueError, match="no accelerator 'ethos-u99'; known: ethos-u55-32"):
        compiler.estimate(b"", "ethos-u99")


def test_without_the_compiler(monkeypatch):
    def missing(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr(vela_compiler, "version", missing)
    assert "not installed" in (device_class("vela-ethos-u55-32").unavailable() or "")
    with pytest.raises(ValueError, match=r"vela-ethos-u55-32: .*pip install hwnas\[mcu\]"):
        device("vela-ethos-u55-32")
