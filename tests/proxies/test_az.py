"""The three parts of AZ-NAS that are measured on one network: expressivity, progressivity, trainability."""

import math
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F

from hwnas.network.to_torch import to_torch
from hwnas.proxies import ProxyResult, score
from hwnas.proxies.spectrum import channel_entropy

from .networks import batch
from .staged import Staged, blind, maps
from .test_golden import CASES, VALUES, build
from .test_stages import nasbench201

PROXIES = ("az_expressivity", "az_progressivity", "az_trainability")
REFERENCE = {name: f"aznas.{name.removeprefix('az_')}(no re-init)" for name in PROXIES}


def az(stages: object, module: nn.Module | None = None, **options: object) -> dict[str, ProxyResult]:
    inputs, _ = batch()
    return score(module or Staged(), inputs, proxies=PROXIES, stages=stages, **options)  # type: ignore[arg-type]


@pytest.mark.skipif(not VALUES, reason="no golden values")
@pytest.mark.parametrize(("name", "seed", "dtype", "mode"), CASES)
def test_values_of_the_published_implementation(name: str, seed: str, dtype: str, mode: str) -> None:
    expected = VALUES[name][seed][dtype][mode]
    module, inputs, _ = build(name, seed, dtype, mode)
    results = score(module, inputs, proxies=PROXIES, stages=lambda module, x: module.stages(x), seed=1234)
    exact = dtype == "float64"
    for proxy, tolerance in (("az_expressivity", 2e-6), ("az_progressivity", 1e-3)):
        right = pytest.approx(expected[REFERENCE[proxy]], rel=1e-9 if exact else tolerance)
        assert results[proxy].value == right, proxy
    # The signs are those that the implementation draws in float32, whatever the dtype.
    signs = VALUES[name][seed]["float32"][mode][REFERENCE["az_trainability"]]
    assert results["az_trainability"].value == pytest.approx(signs, rel=1e-4)
    assert {result.mode for result in results.values()} == {mode}


def test_entropy_by_hand() -> None:
    features = torch.tensor([[3.0, 0.0], [-3.0, 0.0], [0.0, 1.0], [0.0, -1.0]])[:, :, None, None]
    assert channel_entropy(features) == pytest.approx(-0.9 * math.log(0.9) - 0.1 * math.log(0.1))


@given(channels=st.integers(1, 6), dead=st.integers(0, 3), scale=st.floats(1e-3, 1e3))
@settings(max_examples=25, deadline=None)
def test_entropy_is_free_of_scale_shift_and_dead_channels(channels: int, dead: int, scale: float) -> None:
    drawn = torch.randn(4, channels, 3, 3, generator=torch.Generator().manual_seed(channels)).double()
    entropy = channel_entropy(drawn)
    changed = torch.cat([drawn * scale + 1, torch.full((4, dead, 3, 3), 2.0).double()], 1)
    assert channel_entropy(changed) == pytest.approx(entropy, abs=1e-6)
    assert -1e-6 <= entropy <= math.log(channels) + 1e-6


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_copied_channels_give_rounding_errors_below_zero_and_still_a_value(dtype: torch.dtype) -> None:
    one = torch.randn(64, 1, 4, 4, generator=torch.Generator().manual_seed(0)).to(dtype)
    features = one * torch.linspace(0.1, 30, 24, dtype=dtype)[:, None, None]
    centred = features.double().movedim(1, -1).flatten(0, -2)
    centred = centred - centred.mean(0)
    assert torch.linalg.eigvalsh(centred.T @ centred).min() < 0
    shares = torch.linalg.eigvalsh((centred.T @ centred).float()) / centred.square().sum()
    assert (shares + 1e-8).log().isnan().any()  # as the implementation computes it
    assert channel_entropy(features) == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("value", [0.0, 0.7, 1e20])
def test_a_constant_map_has_no_entropy(value: float, dtype: torch.dtype) -> None:
    assert math.isnan(channel_entropy(torch.full((7, 3, 5, 5), value, dtype=dtype)))


def test_a_large_constant_channel_does_not_hide_the_others() -> None:
    drawn = torch.randn(8, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    with_constant = torch.cat([drawn, torch.full((8, 1, 4, 4), 1e8)], 1)
    assert channel_entropy(with_constant) == pytest.approx(channel_entropy(drawn), rel=1e-5)


def test_progressivity_is_the_smallest_step_and_expressivity_the_sum() -> None:
    inputs, _ = batch()
    module = Staged()
    with torch.no_grad():
        entropies = [channel_entropy(one) for one in maps(module, inputs)]
    results = az(maps)
    assert results["az_expressivity"].value == pytest.approx(sum(entropies), rel=1e-12)
    steps = [after - before for before, after in pairwise(entropies)]
    assert results["az_progressivity"].value == pytest.approx(min(steps), rel=1e-9)
    assert [result.layers_used for result in results.values()] == [4, 4, 3]


def scaled_by(factor: float) -> object:
    def stages(module: nn.Module, x: Tensor) -> list[Tensor]:
        return [x, x * factor]

    return stages


@pytest.mark.parametrize("factor", [0.25, 0.5, 2.0, 4.0])
def test_trainability_of_a_stage_that_scales(factor: float) -> None:
    result = az(scaled_by(factor))["az_trainability"]
    with torch.random.fork_rng():
        torch.manual_seed(0)
        signs = 2 * torch.bernoulli(torch.full((6, 3, 8, 8), 0.5)) - 1
    rows = signs.movedim(1, -1).flatten(0, -2).double()
    s = factor * float(torch.linalg.svdvals(rows.T @ rows / len(rows)).max())
    assert result.value == pytest.approx(2 - s - 1 / (s + 1e-6), rel=1e-9)


def test_trainability_of_a_strided_convolution_by_unfolding() -> None:
    weight = torch.randn(5, 3, 2, 2, generator=torch.Generator().manual_seed(0)).double()
    result = az(lambda module, x: [x, F.conv2d(x, weight, stride=2)])["az_trainability"]
    with torch.random.fork_rng():
        torch.manual_seed(0)
        signs = (2 * torch.bernoulli(torch.full((6, 5, 4, 4), 0.5)) - 1).double()
    g_in = torch.einsum("boyx,ochw->bchwyx", signs, weight).flatten(1, 3)
    matrix = torch.einsum("biyx,boyx->io", g_in, signs) / (6 * 16)
    s = float(torch.linalg.matrix_norm(matrix, 2))
    assert result.value == pytest.approx(2 - s - 1 / (s + 1e-6), rel=1e-9)


def test_an_odd_map_is_filled_with_zeros() -> None:
    def cropped(module: nn.Module, x: Tensor) -> list[Tensor]:
        odd = x[..., :7, :7]
        return [odd, F.max_pool2d(odd, 2, ceil_mode=True) * 0.5]

    assert math.isfinite(az(cropped)["az_trainability"].value)


def test_a_disconnected_stage_is_said() -> None:
    results = az(blind)
    assert math.isnan(results["az_expressivity"].value) and "stage 1 is constant" in str(
        results["az_expressivity"].reason
    )
    assert math.isnan(results["az_progressivity"].value)
    assert results["az_trainability"].value == -math.inf
    assert "stage 1 passes no gradient" in str(results["az_trainability"].reason)


UNDEFINED = [
    (lambda m, x: [x, x], -math.inf, "stage 1 is the identity"),
    (lambda m, x: [x, x * 0.0], -math.inf, "stage 1 passes no gradient"),
    (lambda m, x: [x, F.interpolate(x, scale_factor=2)], math.nan, "stage 1 raises the resolution"),
    (lambda m, x: [x, (x - x).sqrt() * x], math.nan, "stage 1 passes a gradient that is not finite"),
]


@pytest.mark.parametrize(("stages", "value", "reason"), UNDEFINED)
def test_where_trainability_is_undefined_it_says_why(stages: object, value: float, reason: str) -> None:
    result = az(stages)["az_trainability"]
    assert result.value == pytest.approx(value, nan_ok=True)
    assert reason in str(result.reason)


CELLS = [
    "|nor_conv_3x3~0|+|none~0|skip_connect~1|+|avg_pool_3x3~0|nor_conv_1x1~1|skip_connect~2|",
    "|skip_connect~0|+|skip_connect~0|none~1|+|skip_connect~0|skip_connect~1|skip_connect~2|",
    "|none~0|+|none~0|none~1|+|avg_pool_3x3~0|none~1|none~2|",
    "|skip_connect~0|+|none~0|none~1|+|none~0|skip_connect~1|none~2|",
]


@pytest.mark.parametrize("cell", CELLS)
def test_every_connected_cell_of_nasbench201_has_a_value(cell: str) -> None:
    network = nasbench201(cell)
    inputs, _ = batch(dtype=torch.float32)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module = to_torch(network)
    results = score(module, inputs, proxies=PROXIES, network=network)
    assert all(result.reason is None for result in results.values())


def test_a_disconnected_cell_of_nasbench201() -> None:
    network = nasbench201("|none~0|+|none~0|none~1|+|none~0|none~1|none~2|")
    inputs, _ = batch(dtype=torch.float32)
    results = score(to_torch(network), inputs, proxies=PROXIES, network=network)
    assert [result.value for result in results.values()] == pytest.approx(
        [math.nan, math.nan, -math.inf], nan_ok=True
    )


def test_the_signs_follow_the_seed() -> None:
    values = [az(maps, seed=seed)["az_trainability"].value for seed in (3, 3, 4)]
    assert values[0] == values[1] != values[2]
