"""Recorded results of architectures: one's own tables and published benchmarks, each usable as a metric."""

from hwnas.oracles.benchmark import FORMATS, read_benchmark
from hwnas.oracles.hw_nas_bench import read_hw_nas_bench
from hwnas.oracles.nasbench101_json import read_nasbench101_json
from hwnas.oracles.nasbench101_tfrecord import read_nasbench101
from hwnas.oracles.nasbench201_file import read_nasbench201
from hwnas.oracles.nats_bench import read_nats_bench
from hwnas.oracles.oracle import OracleMetric, oracle
from hwnas.oracles.save import save_table
from hwnas.oracles.table import MetricTable, read_table

__all__ = [
    "FORMATS",
    "MetricTable",
    "OracleMetric",
    "oracle",
    "read_benchmark",
    "read_hw_nas_bench",
    "read_nasbench101",
    "read_nasbench101_json",
    "read_nasbench201",
    "read_nats_bench",
    "read_table",
    "save_table",
]
