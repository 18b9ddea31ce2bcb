"""Scores on a GPU are those on the CPU."""

import math

import pytest
import torch

from hwnas.proxies import names, score

from .networks import batch, chain, described

DRAWN_ON_THE_DEVICE = {"zen", "gennas", "cv", "linear_regions_thin"}
ROUNDING = {
    "epsilon": torch.finfo(torch.float32).eps
}  # in float32; here its two outputs agree but for rounding

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="torch finds no CUDA device")


@pytest.mark.parametrize("name", [name for name in names() if name not in DRAWN_ON_THE_DEVICE])
def test_a_score_does_not_depend_on_the_device(name: str) -> None:
    inputs, labels = batch(8)
    given = described(chain(normalised=True))
    on_cpu = score(chain(normalised=True), inputs, labels, [name], **given)[name]
    module = chain(normalised=True).cuda()
    on_gpu = score(module, inputs.cuda(), labels.cuda(), [name], **given)[name]
    assert on_gpu.reason == on_cpu.reason or math.isnan(on_cpu.value)
    absolute = ROUNDING.get(name, 1e-9)
    assert on_gpu.value == pytest.approx(on_cpu.value, rel=1e-6, abs=absolute, nan_ok=True)


def test_scores_that_draw_on_the_device_repeat() -> None:
    inputs, labels = batch(8, dtype=torch.float32)
    module, given = chain(normalised=True).float().cuda(), described(chain(normalised=True))
    asked = sorted(DRAWN_ON_THE_DEVICE - {"cv"})
    first, second = (score(module, inputs.cuda(), labels.cuda(), asked, **given) for _ in range(2))
    assert [r.value for r in first.values()] == pytest.approx([r.value for r in second.values()], nan_ok=True)
