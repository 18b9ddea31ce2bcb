"""Search spaces: categorical decisions, and the `Network` that an assignment of them stands for."""

from hwnas.spaces.architecture import Architecture
from hwnas.spaces.darts import DARTS
from hwnas.spaces.fbnet import FBNet
from hwnas.spaces.mcunet import MCUNet
from hwnas.spaces.mobilenetv2 import MobileNetV2
from hwnas.spaces.nasbench101 import NASBench101
from hwnas.spaces.nasbench201 import NASBench201
from hwnas.spaces.nasbenchnlp import NASBenchNLP
from hwnas.spaces.ofa_mobilenetv3 import OFAMobileNetV3
from hwnas.spaces.order import BenchmarkOrder
from hwnas.spaces.proxylessnas import ProxylessNAS
from hwnas.spaces.registry import SPACES, space, space_of_file
from hwnas.spaces.space import SearchSpace
from hwnas.spaces.supernetwork import Candidate, Supernetwork, Term
from hwnas.spaces.transnasbench101 import TransNASBench101Macro, TransNASBench101Micro

__all__ = [
    "DARTS",
    "SPACES",
    "Architecture",
    "BenchmarkOrder",
    "Candidate",
    "FBNet",
    "MCUNet",
    "MobileNetV2",
    "NASBench101",
    "NASBench201",
    "NASBenchNLP",
    "OFAMobileNetV3",
    "ProxylessNAS",
    "SearchSpace",
    "Supernetwork",
    "Term",
    "TransNASBench101Macro",
    "TransNASBench101Micro",
    "space",
    "space_of_file",
]
