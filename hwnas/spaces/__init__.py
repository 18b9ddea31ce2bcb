"""Search spaces."""

from hwnas.spaces.architecture import Architecture
from hwnas.spaces.mobilenetv2 import MobileNetV2
from hwnas.spaces.nasbench201 import NASBench201
from hwnas.spaces.order import BenchmarkOrder
from hwnas.spaces.registry import SPACES, space
from hwnas.spaces.space import SearchSpace

__all__ = ["SPACES", "Architecture", "BenchmarkOrder", "MobileNetV2", "NASBench201", "SearchSpace", "space"]
