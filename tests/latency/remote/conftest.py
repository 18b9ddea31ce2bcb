"""Pythons that have little, a real sshd on the loopback, and a bundle."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from hwnas.latency.measuring.networks import subjects_of
from hwnas.latency.remote.bundle import write_bundle
from hwnas.latency.remote.options import CpuOptions

from ..helpers import FAST, small_network
from .pythons import MEASURING, python_with
from .sshd import Sshd


@pytest.fixture(scope="session")
def bare_python(tmp_path_factory) -> Path:
    """A Python that has numpy, onnxruntime and what these need; no torch, no onnx, no hwnas."""
    return python_with(tmp_path_factory.mktemp("bare"), *MEASURING)


@pytest.fixture(scope="session")
def empty_python(tmp_path_factory) -> Path:
    """A Python without packages."""
    return python_with(tmp_path_factory.mktemp("empty"))


@pytest.fixture
def sshd(tmp_path, bare_python) -> Iterator[Sshd]:
    server = Sshd(tmp_path / "sshd", bare_python)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def bundle(tmp_path) -> Path:
    """A bundle of a network and its three blocks, not yet measured."""
    folder = tmp_path / "bundle"
    write_bundle(subjects_of([small_network()], ["mine"], True), folder, options=CpuOptions(), protocol=FAST)
    return folder


@pytest.fixture
def tiny_disk(tmp_path) -> Iterator[Path]:
    """A file system of one megabyte; only the superuser may make one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], check=False)
    if made.returncode:
        pytest.skip("only where file systems may be mounted")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)
