"""Small spaces with supernets: two of cells, two chains; the last has several decisions for a block."""

from hwnas.spaces import DARTS, FBNet, NASBench201, ProxylessNAS, SearchSpace

SPACES: dict[str, SearchSpace] = {
    "nasbench201": NASBench201(channels=4, cells=1, resolution=8),
    "darts": DARTS(channels=4, layers=3, resolution=8),
    "fbnet": FBNet(resolution=32, head_channels=64, classes=10),
    "proxylessnas": ProxylessNAS(resolutions=(32,), width=0.25, classes=10),
}
SUPERNETWORKS = {name: space.supernetwork() for name, space in SPACES.items()}
CELLS, CHAINS = ("nasbench201", "darts"), ("fbnet", "proxylessnas")
