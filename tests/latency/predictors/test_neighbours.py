import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwnas.cost import count
from hwnas.latency.predictors import InterpolatedWarning, LookupPredictor, MissingBlockError
from hwnas.latency.predictors.arrays import read_arrays, write_arrays
from hwnas.latency.predictors.neighbours import FEWEST, Neighbours, structure
from hwnas.network import Builder


def conv(inputs, outputs, size, kernel=3, groups=1, stride=1):
    b = Builder()
    x = b.input(inputs, size, size)
    return b.build(b.relu(b.conv(x, outputs, kernel=kernel, groups=groups, stride=stride)))


PARTS = [conv(i, o, s) for i in (8, 32) for o in (8, 48) for s in (8, 24)]


def device_ms(part, scale=1.0):
    """An overhead, operations, and bytes."""
    counts = count(part).whole
    moved = sum(v.size for v in (*part.inputs, *part.outputs)) + counts.params
    return scale * (0.003 + counts.macs / 2e7 + 4 * moved / 5e6)


def neighbours(parts=PARTS, scale=1.0):
    return Neighbours.of(parts, {part.key: device_ms(part, scale) for part in parts})


@settings(max_examples=30, deadline=None)
@given(st.integers(8, 32), st.integers(8, 48), st.integers(8, 24), st.floats(0.1, 10))
def test_what_lies_between_is_found_on_a_device_of_operations_and_bytes(inputs, outputs, size, scale):
    part = conv(inputs, outputs, size)
    assert neighbours(scale=scale).estimate(part) == pytest.approx(device_ms(part, scale), rel=0.02)


def test_a_measured_part_is_itself():
    for part in PARTS:
        assert neighbours().estimate(part) == pytest.approx(device_ms(part), rel=1e-3)


def test_other_structures_say_nothing():
    assert structure(conv(8, 8, 8)) == "Conv 3×3 /1×1 dense; Relu"
    assert structure(conv(8, 8, 8, groups=8, stride=2)) == "Conv 3×3 /2×2 depthwise; Relu"
    assert structure(conv(8, 8, 8, groups=2)) == "Conv 3×3 /1×1 2 groups; Relu"
    for other in (conv(8, 8, 8, kernel=5), conv(8, 8, 8, groups=8), conv(8, 8, 8, stride=2)):
        assert neighbours().estimate(other) is None
    assert neighbours(PARTS[: FEWEST - 1]).estimate(PARTS[-1]) is None


def test_blocks_are_interpolated_when_asked_and_it_is_said(tmp_path):
    times = {part.key: device_ms(part) for part in PARTS}
    new = conv(16, 16, 16)
    with pytest.raises(MissingBlockError, match="Conv-Relu 16×16×16 → 16×16×16; measure them too"):
        single(LookupPredictor(times), new)
    predictor = LookupPredictor(times, neighbours=Neighbours.of(PARTS, times))
    with pytest.warns(InterpolatedWarning):
        found = single(predictor, new)
    assert found == pytest.approx(device_ms(new), rel=0.02)
    with pytest.raises(MissingBlockError, match="too few of their structure to interpolate from"):
        single(predictor, conv(16, 16, 16, kernel=7))
    predictor.save(tmp_path)
    with pytest.warns(InterpolatedWarning):
        assert single(LookupPredictor.load(tmp_path), new) == found
    good = dict(read_arrays(tmp_path / "arrays.npz").by_name)
    for name, bad in (("structure_ms", -good["structure_ms"]), ("quantities", -good["quantities"])):
        write_arrays(tmp_path / "arrays.npz", {**good, name: bad})
        with pytest.raises(ValueError, match=rf"arrays\.npz: field '{name}'"):
            LookupPredictor.load(tmp_path)


def single(predictor, part):
    return predictor.predict([nested(part)])[0]


def nested(part):
    """A network with `part` as its block."""
    from hwnas.network.network import Block, Network

    block = Block("part", part, tuple(v.name for v in part.inputs), part.outputs)
    return Network(part.inputs, part.outputs, (block,), {})


def test_shares_are_of_the_sum():
    times = {part.key: 1.0 for part in PARTS}
    predictor = LookupPredictor(times, neighbours=Neighbours.of(PARTS, times))
    np.testing.assert_allclose(
        predictor.interpolated_share([nested(PARTS[0]), nested(conv(16, 16, 16))]), [0.0, 1.0]
    )
