"""NASWOT: how differently the images of a batch switch the network's ReLUs."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from hwnas.proxies.context import Context
from hwnas.proxies.registry import proxy
from hwnas.proxies.relu_codes import NAN_INPUT, NO_RELU, ReluCodes
from hwnas.proxies.result import Measurement

_COLUMNS_AT_ONCE = 2**20


@proxy(
    name="naswot",
    higher_is_better=True,
    needs=("data",),
    mode="as-is",
    summary="log-determinant of the kernel of agreeing ReLU codes over a batch (v2, hook_logdet)",
    source="Mellor et al. 2021, Neural Architecture Search without Training, K_H (hook_logdet)",
)
def naswot(context: Context) -> Measurement:
    """Return log |det K|, K[i, j] = the number of ReLU units (B x B) that images i and j switch alike.

    Sums over all calls of the ReLU family (ReLU, ReLU6, LeakyReLU, PReLU, RReLU; hardtanh and clamp from 0),
    as modules or as functions, in one forward pass without gradients; a unit is on where its input is above
    0. Each call counts once, also of a module used twice. Calls whose first axis is not the batch, and other
    activation functions, have no code: they are reported in `layers_skipped` by their ATen name, and so are
    `maximum` and `where`. Activations written with products or quotients (`x * (x > 0)`, softsign) are not
    seen.

    The value grows with the number of units and depends on the batch size: compare like with like. It is
    -inf, with a reason, when K is singular (no ReLU; two images with one code), and NaN, with a reason, when
    an activation is.

    Raises:
        ValueError: when the batch holds fewer than two images.
    """
    kernel = context.shared(_code_kernel)
    value, reason = _log_determinant(kernel)
    return Measurement(value, reason, kernel.calls, kernel.skipped_once)


@proxy(
    name="naswot_per_unit",
    higher_is_better=True,
    needs=("data",),
    mode="as-is",
    summary="naswot of the kernel divided by the number of ReLU units: comparable across sizes",
    source="Ours, after Mellor et al. 2021: their kernel grows with the number of units",
)
def naswot_per_unit(context: Context) -> Measurement:
    """Return log |det (K / units)| = naswot - B log(units), at most 0: entries of K / units lie in [0, 1].

    It leaves out what `naswot` gains by the mere number of ReLUs. Undefined where `naswot` is.

    Raises:
        ValueError: when the batch holds fewer than two images.
    """
    kernel = context.shared(_code_kernel)
    value, reason = _log_determinant(kernel)
    if reason is None:
        value -= len(kernel.agreeing) * math.log(kernel.units)
    return Measurement(value, reason, kernel.calls, kernel.skipped_once)


def _code_kernel(context: Context) -> _CodeKernel:
    images = context.batch()
    if len(images) < 2:
        raise ValueError(f"inputs: naswot compares images; pass a batch of two or more, not {len(images)}")
    kernel = _CodeKernel(len(images), images.device)
    module = context.copy()
    with torch.no_grad(), kernel:
        context.outputs(module, images)
    return kernel


class _CodeKernel(ReluCodes):  # type: ignore[no-untyped-call]
    """Adds up K over the ReLUs: `agreeing` is K (B, B) in float64, `units` the number of units in it."""

    def __init__(self, images: int, device: torch.device) -> None:
        super().__init__(images)
        self.agreeing = torch.zeros(images, images, dtype=torch.float64, device=device)
        self.units = 0

    def add(self, codes: Tensor) -> None:
        self.agreeing += _agreeing_units(codes)
        self.units += codes.shape[1]


def _agreeing_units(codes: Tensor) -> Tensor:
    """Count the equal bits of each pair of codes (B, F), as (B, B) float64, exactly.

    With both = c c^T and on = its diagonal, c c^T + (1-c)(1-c)^T = F - on_i - on_j + 2 both; float32 holds
    counts up to 2^24 exactly.
    """
    both = torch.zeros(len(codes), len(codes), dtype=torch.float64, device=codes.device)
    for start in range(0, codes.shape[1], _COLUMNS_AT_ONCE):
        part = codes[:, start : start + _COLUMNS_AT_ONCE].to(torch.float32)
        both += part @ part.T
    on = both.diagonal()
    return codes.shape[1] - on[:, None] - on[None, :] + 2 * both


def _log_determinant(kernel: _CodeKernel) -> tuple[float, str | None]:
    if kernel.undefined:
        return math.nan, NAN_INPUT
    if kernel.calls == 0:
        return -math.inf, NO_RELU
    same = torch.nonzero(torch.triu(kernel.agreeing == kernel.units, diagonal=1))
    if len(same):
        first, second = same[0].tolist()
        return -math.inf, f"K is singular: images {first} and {second} switch every ReLU alike"
    rank = int(torch.linalg.matrix_rank(kernel.agreeing, hermitian=True))
    if rank < len(kernel.agreeing):
        return -math.inf, f"K is singular: its rank is {rank}, for {len(kernel.agreeing)} images"
    return float(torch.linalg.slogdet(kernel.agreeing).logabsdet), None
