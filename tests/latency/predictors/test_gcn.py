import subprocess
import sys

import numpy as np
import pytest

from hwnas.latency.predictors import GcnPredictor
from hwnas.latency.predictors.arrays import read_arrays, write_arrays
from hwnas.latency.predictors.graph import NODE_COLUMNS, graphs, node_descriptors
from hwnas.latency.predictors.graph_batch import graph_batch
from hwnas.latency.predictors.sums import FEATURES, features
from hwnas.network import Builder
from hwnas.spaces import MobileNetV2, NASBench201
from tests.latency.predictors.synthetic import SPACE, network_ms

CELLS = NASBench201()
NETWORKS = [architecture.network for architecture in SPACE.sample(50, seed=1)]


def measured(networks):
    generator = np.random.default_rng(0)
    return np.array([network_ms(network, 0.01, generator) for network in networks])


@pytest.fixture(scope="module")
def fitted():
    predictor = GcnPredictor()
    predictor.fit(NETWORKS[:30], measured(NETWORKS)[:30])
    return predictor


# --- the graphs


def test_a_cell_is_one_graph_that_counts_as_often_as_it_is_called():
    network = CELLS.parse("|nor_conv_3x3~0|+|none~0|avg_pool_3x3~1|+|none~0|none~1|nor_conv_1x1~2|").network
    found = graphs(network)
    assert sorted(found.values()) == [1, 5, 5, 5]
    cell = next(graph for graph, count in found.items() if count == 5)
    assert cell.edges.tolist() == [[0, 1], [1, 2]] and len(set(cell.nodes)) == 3
    assert graphs(network) is found


@pytest.mark.parametrize("space", [CELLS, MobileNetV2(resolution=32, classes=10)])
def test_no_layer_is_lost(space):
    """All descriptors of all nodes add up to the network's features, live ones apart."""
    networks = [architecture.network for architecture in space.sample(20, seed=0)]
    batch = graph_batch(networks)
    summed = batch.total @ node_descriptors(batch.kinds)[batch.kind_of]
    whole = features(networks)
    n = summed.shape[1] // 2
    per_class = whole.shape[1] // 2
    np.testing.assert_allclose(summed[:, :n], whole[:, :n])
    np.testing.assert_allclose(summed[:, n:], whole[:, per_class : per_class + n])


def test_the_averages_are_over_what_is_read():
    b = Builder()
    x = b.input(4, 8, 8)
    first, second = b.relu(x), b.conv(x, 4)
    network = b.build(b.add(first, second))
    batch = graph_batch([network])
    np.testing.assert_allclose(batch.producers.toarray(), [[0, 0, 0], [0, 0, 0], [0.5, 0.5, 0]])
    np.testing.assert_allclose(batch.readers.toarray(), [[0, 0, 1], [0, 0, 1], [0, 0, 0]])
    np.testing.assert_allclose(batch.total.toarray(), [[1, 1, 1]])


def test_a_batch_without_networks():
    assert graph_batch([]).total.shape == (0, 0)


# --- the predictor


def test_predictions_on_fresh_networks(fitted):
    expected = np.array([network_ms(network) for network in NETWORKS[30:]])
    assert np.abs(fitted.predict(NETWORKS[30:]) / expected - 1).mean() < 0.04


def test_a_device_that_prunes_dead_branches_and_fuses():
    """What neither sums over every layer nor a node alone can tell: an addition after a pooling costs much."""
    architectures = CELLS.sample(100, seed=0)
    networks = [architecture.network for architecture in architectures]

    count, macs = (FEATURES.index(f"live.{name}") for name in ("pooling.count", "all.macs"))
    pooling = count - FEATURES.index("live.pointwise_conv.count")

    def cost(network):
        batch = graph_batch([network])
        live = node_descriptors(batch.kinds)[batch.kind_of, NODE_COLUMNS // 2 + pooling]
        after_pooling = batch.total @ (batch.producers @ live)
        return 1 + features([network])[0, macs] / 4e7 + 0.1 * float(after_pooling[0])

    times = np.array([cost(network) for network in networks])
    predictor = GcnPredictor()
    predictor.fit(networks[:80], times[:80])
    assert np.abs(predictor.predict(networks[80:]) / times[80:] - 1).mean() < 0.06


def test_order_and_company_do_not_matter(fitted):
    together = fitted.predict(NETWORKS)
    np.testing.assert_allclose(fitted.predict(NETWORKS[::-1]), together[::-1], rtol=1e-5)
    np.testing.assert_allclose(fitted.predict(NETWORKS[:1]), together[:1], rtol=1e-5)
    assert len(fitted.predict([])) == 0


def test_the_seed_decides():
    networks = [architecture.network for architecture in CELLS.sample(15, seed=0)]
    first, again, other = GcnPredictor(), GcnPredictor(), GcnPredictor(seed=1)
    for predictor in (first, again, other):
        predictor.fit(networks, measured(networks))
    np.testing.assert_array_equal(again.predict(NETWORKS), first.predict(NETWORKS))
    assert not np.array_equal(other.predict(NETWORKS), first.predict(NETWORKS))


def test_far_networks_get_positive_finite_latencies(fitted):
    far = [a.network for a in MobileNetV2(resolution=224, classes=10).sample(3, seed=0)]
    found = fitted.predict([*far, CELLS.sample(1, seed=0)[0].network])
    assert np.isfinite(found).all() and (found > 0).all()


def test_saved_and_loaded_without_torch(fitted, tmp_path):
    fitted.save(tmp_path)
    script = (
        "import sys; from hwnas.latency.predictors import GcnPredictor; from hwnas.spaces import MobileNetV2\n"
        "networks = [a.network for a in MobileNetV2(resolution=32, classes=10).sample(50, seed=1)]\n"
        f"print(*GcnPredictor.load({str(tmp_path)!r}).predict(networks)); assert 'torch' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    np.testing.assert_allclose([float(t) for t in done.stdout.split()], fitted.predict(NETWORKS), rtol=1e-5)


@pytest.mark.parametrize(
    "field, change",
    [
        ("weight_cost", lambda a: a[1:]),
        ("weight_own_0", lambda a: a * np.nan),
        ("weight_overhead", lambda a: a + 1e9),
        ("scale_ms", lambda a: -a),
        ("columns", lambda a: a + 10_000),
    ],
)
def test_damaged_arrays_are_refused_by_field(fitted, tmp_path, field, change):
    arrays = fitted.arrays()
    write_arrays(tmp_path / "a.npz", {**arrays, field: change(arrays[field])})
    with pytest.raises(ValueError, match=rf"a\.npz: field '{field}'"):
        GcnPredictor.from_arrays(read_arrays(tmp_path / "a.npz"))


def test_too_few_and_not_fitted():
    with pytest.raises(ValueError, match="a gcn predictor needs at least 15 measured networks, not 3"):
        GcnPredictor().fit(NETWORKS[:3], measured(NETWORKS[:3]))
    with pytest.raises(RuntimeError, match="call fit first"):
        GcnPredictor().predict(NETWORKS)
