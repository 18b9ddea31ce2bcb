import os
from pathlib import Path

import pytest
import torch


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def cifar10() -> Path:
    default = Path(__file__).resolve().parents[3] / "shared" / "data"
    folder = Path(os.environ.get("HWNAS_TEST_DATA", default)) / "cifar10"
    if not (folder / "train.parquet").exists():
        pytest.skip(f"CIFAR-10 is not at {folder}: set HWNAS_TEST_DATA")
    return folder
