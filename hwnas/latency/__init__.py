"""Measured latencies: devices, the timing protocol, latency tables, and how to measure.

>>> from hwnas.latency import device, measure
>>> table = measure(architectures, device("ort-cpu", threads=1), folder="tables/mine")  # doctest: +SKIP
>>> table[architectures[0].network.key].latency_ms                                      # doctest: +SKIP

Importing this package imports neither torch nor onnx nor onnxruntime.
"""

from hwnas.latency.devices.device import (
    Device,
    DeviceCard,
    ModelFailedError,
    RunnerDiedError,
    RuntimeCard,
)
from hwnas.latency.devices.ort_cpu import OrtCpu
from hwnas.latency.devices.ort_gpu import OrtCuda, OrtTensorrt
from hwnas.latency.devices.registry import device, device_like, devices
from hwnas.latency.devices.torch_cpu import TorchCpu
from hwnas.latency.devices.torch_cuda import TorchCuda
from hwnas.latency.devices.vela import Vela
from hwnas.latency.fit import fit
from hwnas.latency.instructions.device import CortexM7
from hwnas.latency.instructions.predictor import InstructionPredictor
from hwnas.latency.measuring.measure import latency_ms, measure
from hwnas.latency.measuring.onnx_file import measure_onnx
from hwnas.latency.measuring.progress import Progress
from hwnas.latency.predictors.fitted import FittedPredictor
from hwnas.latency.remote.ssh import Ssh
from hwnas.latency.tables.entry import Entry
from hwnas.latency.tables.merge import merge
from hwnas.latency.tables.table import DeviceMismatchError, LatencyTable
from hwnas.latency.timing.protocol import QUICK, STANDARD, Protocol
from hwnas.latency.transfer.few_shot import FewShot, few_shot

__all__ = [
    "QUICK",
    "STANDARD",
    "CortexM7",
    "Device",
    "DeviceCard",
    "DeviceMismatchError",
    "Entry",
    "FewShot",
    "FittedPredictor",
    "InstructionPredictor",
    "LatencyTable",
    "ModelFailedError",
    "OrtCpu",
    "OrtCuda",
    "OrtTensorrt",
    "Progress",
    "Protocol",
    "RunnerDiedError",
    "RuntimeCard",
    "Ssh",
    "TorchCpu",
    "TorchCuda",
    "Vela",
    "device",
    "device_like",
    "devices",
    "few_shot",
    "fit",
    "latency_ms",
    "measure",
    "measure_onnx",
    "merge",
]
