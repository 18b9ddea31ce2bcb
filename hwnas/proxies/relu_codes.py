"""The binary codes of a network: which ReLUs each image of a batch switches on."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

NO_RELU = "no ReLU-family activation was called with the batch as its first axis"
NAN_INPUT = "the input of a ReLU holds NaN"

_RELU_FAMILY = {"relu", "leaky_relu", "_prelu_kernel", "rrelu_with_noise"}
_OTHER_ACTIVATIONS = {
    "_softmax", "celu", "elu", "gelu", "glu", "hardshrink", "hardsigmoid", "hardswish", "log_sigmoid_forward",
    "maximum", "mish", "sigmoid", "silu", "softplus", "softshrink", "tanh", "threshold", "where",
}  # fmt: skip


_CLAMPS = {"clamp", "clamp_min", "hardtanh"}


class ReluCodes(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Hands the codes of every ReLU called while it is active to `add`.

    The ReLU family is ReLU, ReLU6, LeakyReLU, PReLU, RReLU, hardtanh and clamp from 0, as modules or as
    functions; a unit is on where its input is above 0. Each call counts once, also of a module used twice.
    `maximum` and `where` are reported, not taken for ReLUs; what is written with products or quotients
    (`x * (x > 0)`, softsign) is not seen.

    Attributes:
        images: the size of the batch, B.
        calls: the number of ReLU calls whose first axis is the batch.
        skipped: what was called and has no code: ReLUs whose first axis is not the batch, and other
            activation functions, by their ATen name.
        undefined: whether a ReLU's input held a NaN.
    """

    def __init__(self, images: int) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.images = images
        self.calls = 0
        self.skipped: list[str] = []
        self.undefined = False

    @abstractmethod
    def add(self, codes: Tensor) -> None:
        """Take the codes of one call, (B, units) of bool."""

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        name = func.overloadpacket.__name__.removesuffix("_")
        if name in _RELU_FAMILY or (name in _CLAMPS and _starts_at_zero(args, kwargs)):
            self._count(name, args[0])
        elif name in _OTHER_ACTIVATIONS or name in _CLAMPS:
            self.skipped.append(name)
        return func(*args, **(kwargs or {}))

    def _count(self, name: str, values: Tensor) -> None:
        if values.ndim == 0 or len(values) != self.images:
            self.skipped.append(f"{name} of shape {tuple(values.shape)}")
            return
        # One NaN makes the sum NaN; infinities of both signs do too, so that a NaN sum is looked into.
        self.undefined |= bool(values.sum().isnan()) and bool(values.isnan().any())
        self.add((values > 0).flatten(1))
        self.calls += 1

    @property
    def skipped_once(self) -> tuple[str, ...]:
        """What was skipped, each name once."""
        return tuple(dict.fromkeys(self.skipped))


def _starts_at_zero(arguments: tuple[Any, ...], keywords: Mapping[str, Any] | None) -> bool:
    lowest = arguments[1] if len(arguments) > 1 else (keywords or {}).get("min")
    return not isinstance(lowest, Tensor) and lowest == 0
