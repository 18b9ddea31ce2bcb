import tempfile
from dataclasses import replace

import numpy as np
import pytest

from hwnas.latency import DeviceMismatchError, LatencyTable, device, fit, measure
from hwnas.latency.kernels.cover import covering
from hwnas.latency.kernels.harvest import measure_kernels
from hwnas.latency.kernels.lowering import kernel_counts
from hwnas.latency.predictors import InterpolatedWarning, MissingBlockError
from hwnas.network import Builder
from hwnas.spaces import space

from ..helpers import FAST, small_network

SPEC = "mobilenetv2:resolution=32,classes=10,width=0.25"
SPACE = space(SPEC)
ARCHITECTURES = SPACE.sample(4, seed=0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("kernels")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "tempdir", str(tmp_path_factory.mktemp("lock")))
        measure_kernels(ARCHITECTURES, device("ort-cpu", protocol=FAST), folder=path, space=SPEC)
    return path


@pytest.fixture(scope="module")
def table(folder):
    return LatencyTable.load(folder)


def test_every_kernel_of_every_network_is_there_with_how_often(table):
    assert len(table.networks) == 4 and not table.blocks
    for architecture in ARCHITECTURES:
        counts = kernel_counts(architecture.network)
        assert dict(table[architecture.network.key].blocks) == counts
        assert all(table[key].kind == "kernel" and table[key].p10_us > 0 for key in counts)
    assert {e.key for e in table.kernels} == set().union(*(kernel_counts(a.network) for a in ARCHITECTURES))
    assert all("→" in e.name and e.cpu_p10_us == e.p10_us for e in table.kernels)


def test_kernels_sum_to_about_the_network(table):
    for entry in table.networks:
        total = sum(table[key].p10_us * times for key, times in entry.blocks)
        assert 0.3 < total / entry.p10_us < 3


def test_the_predictor_needs_no_networks_and_says_how_it_composes(table, tmp_path):
    predictor = fit(table, "kernel")
    assert predictor.card.composition == predictor.predictor.composition.name == "affine"
    plain = fit(table, "kernel", composition="sum")
    assert plain.card.composition == plain.predictor.composition.name == "sum"
    network = ARCHITECTURES[0].network
    expected = sum(table[key].latency_ms * n for key, n in kernel_counts(network).items())
    assert plain.predict([network])[0] == pytest.approx(expected)
    predictor.save(tmp_path)
    again = type(predictor).load(tmp_path)
    np.testing.assert_array_equal(again.predict([network]), predictor.predict([network]))


def test_a_kernel_that_was_not_met_is_an_error_or_an_interpolation_that_says_so(table):
    other = SPACE.sample(6, seed=9)
    missing = [a for a in other if not kernel_counts(a.network).keys() <= set(table.entries)]
    with pytest.raises(MissingBlockError, match=r"lacks \d+ of \d+ distinct kernels: Conv"):
        fit(table, "kernel").predict([missing[0].network])
    predictor = fit(table, "kernel", interpolate=True)
    with pytest.warns(InterpolatedWarning, match="1 of 2 networks have kernels that were not measured"):
        predictor.predict([ARCHITECTURES[0].network, missing[0].network])
    shares = predictor.predictor.interpolated_share([ARCHITECTURES[0].network, missing[0].network])
    assert shares[0] == 0 < shares[1] < 1


def test_the_same_call_again_measures_nothing(folder):
    before = (folder / "journal.jsonl").read_bytes()
    measure_kernels(ARCHITECTURES, device("ort-cpu", protocol=FAST), folder=folder, space=SPEC)
    assert (folder / "journal.jsonl").read_bytes() == before


def test_blocks_and_kernels_do_not_share_a_folder(tmp_path, table, cpu):
    measure([small_network()], cpu, folder=tmp_path)
    with pytest.raises(ValueError, match="holds a table of blocks; measure kernels into another folder"):
        measure_kernels([small_network()], cpu, folder=tmp_path)
    with pytest.raises(ValueError, match="no measured blocks, which a lookup predictor adds up"):
        fit(table, "lookup")


def test_networks_without_blocks_measured_are_not_taken_for_kernel_tables(tmp_path, cpu):
    network = small_network(repeats=3)
    measure([network], cpu, folder=tmp_path, blocks=False)
    with pytest.raises(ValueError, match="holds a table of blocks"):
        measure_kernels([network], cpu, folder=tmp_path)


def test_options_of_other_kinds_are_refused(table):
    with pytest.raises(ValueError, match="composition must be affine or sum, not 'product'"):
        fit(table, "kernel", composition="product")
    with pytest.raises(ValueError, match="a linear predictor adds no parts"):
        fit(table, "linear", interpolate=True)


def test_covering_meets_more_kernels_than_chance():
    pool = SPACE.sample(40, seed=1)
    met = [
        set().union(*(kernel_counts(a.network) for a in chosen)) for chosen in (covering(pool, 4), pool[:4])
    ]
    assert len(met[0]) > len(met[1])
    assert len(set(map(str, covering(pool, 40)))) == 40
    with pytest.raises(ValueError, match="41 networks of 40 candidates"):
        covering(pool, 41)


@pytest.mark.parametrize("options", [{"precision": "int8"}, {"level": "basic"}, {"batch": 2}])
def test_other_options_of_the_runtime_execute_the_same_kernels(options):
    on = device("ort-cpu", protocol=FAST, **options)
    found = measure_kernels(ARCHITECTURES[:1], on)
    assert {e.key for e in found.kernels} == set(kernel_counts(ARCHITECTURES[0].network))
    assert not any(e.reason for e in found.kernels)


def test_one_network_is_too_few_for_a_line_and_enough_for_a_sum(cpu):
    found = measure_kernels(ARCHITECTURES[:1], cpu)
    with pytest.raises(ValueError, match="a kernel predictor needs at least 2 measured networks, not 1"):
        fit(found, "kernel")
    assert fit(found, "kernel", composition="sum").predict([ARCHITECTURES[0].network])[0] > 0


def test_a_folder_of_another_protocol_is_refused(folder):
    other = device("ort-cpu", protocol=replace(FAST, chunk=4))
    with pytest.raises(DeviceMismatchError, match=r"protocol\.chunk: 3, not 4"):
        measure_kernels(ARCHITECTURES, other, folder=folder, space=SPEC)


def test_covering_prefers_what_is_new_to_what_is_common():
    common, rare = small_network(channels=4), small_network(channels=8)
    assert covering([common, common, common, rare], 2) == [common, rare]


def of_layers(*layers):
    b = Builder()
    x = b.input(4, 8, 8)
    for layer in layers:
        x = layer(b, x)
    return b.build(x)


def test_a_network_that_is_a_kernel_of_another_stays_a_network(cpu, tmp_path):
    def conv(b, x):
        return b.relu(b.conv(x, 4))

    small = of_layers(conv)
    large = of_layers(conv, lambda b, x: b.max_pool(x, kernel=3))
    assert set(kernel_counts(small)) == {small.key} < set(kernel_counts(large))
    table = measure_kernels([small, large], cpu, folder=tmp_path, names=["small", "large"])
    assert table[small.key].kind == "network" and len(table.kernels) == 1
    before = (tmp_path / "journal.jsonl").read_bytes()
    assert measure_kernels([small, large], cpu, folder=tmp_path, names=["small", "large"]) == table
    assert (tmp_path / "journal.jsonl").read_bytes() == before
    predictor = fit(table, "kernel", composition="sum")
    assert predictor.predict([small])[0] == table[small.key].latency_ms


def test_a_network_that_stood_there_as_a_kernel_is_measured(cpu, tmp_path):
    small = of_layers(lambda b, x: b.relu(b.conv(x, 4)))
    large = of_layers(lambda b, x: b.relu(b.conv(x, 4)), lambda b, x: b.max_pool(x, kernel=3))
    measure_kernels([large], cpu, folder=tmp_path)
    table = measure_kernels([small, large], cpu, folder=tmp_path)
    assert {entry.key for entry in table.networks} == {small.key, large.key}
