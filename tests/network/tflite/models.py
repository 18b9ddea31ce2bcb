"""The third-party models, where they are present, and what is known of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import DATA

# MACs, and the arena's head and tail as the x86 runtime reports them.
MODELS = {
    "mlperf_kws_ref_model": (2_656_768, 16_000, 8_272),
    "mlperf_pretrainedResnet_quant": (12_501_632, 49_152, 6_832),
    "mlperf_vww_96_int8": (7_489_664, 73_728, 29_952),
    "tflm_person_detect": (7_157_888, 55_296, 29_968),
    "vww": (11_578_816, 161_472, 63_504),
}


def model(name: str) -> Path:
    path = DATA / "mcu" / "models" / f"{name}.tflite"
    if not path.exists():
        pytest.skip(f"{path} is absent: set HWNAS_TEST_DATA")
    return path
