import numpy as np

from hwnas.spaces import MobileNetV2, NASBench201
from hwnas.spaces.coverage import distinct_blocks


def test_other_architectures_hold_no_other_blocks():
    space = MobileNetV2(resolution=32, classes=10, width=0.5, depths=(-1, 0), widths=(0.75, 1.0))
    found = distinct_blocks(space)
    generator = np.random.default_rng(7)
    for _ in range(500):
        assert all(block.key in found for _, block in space.random(generator).network.blocks())


def test_nas_bench_201_is_made_of_few_blocks():
    space = NASBench201(cells=1, channels=8)
    found = distinct_blocks(space)
    assert len(found) < 150
    for architecture in list(space)[::97]:
        assert all(block.key in found for _, block in architecture.network.blocks())
