"""Which feature map a network pools or flattens in the end, seen from outside while it runs."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

_POOLING = ("pool", "mean", "sum", "max")
_MARK = "_hwnas_is_feature_map"


class LastMap(TorchFunctionMode):
    """Watches one forward pass of a batch of images (B, channels, height, width) while it is active.

    A feature map is a tensor (B, channels, height, width) that is computed from the images through such maps
    alone. What a global pooling returns (1x1, by any operation of pooling, mean, sum or maximum) is none, and
    so the input of the pooling is the last map.

    Attributes:
        map: the last feature map; None before the first.
        normalised: names of the batch normalisations that had been called when it was made, in order;
            "batch_norm" for a function that is called on statistics of no module.
    """

    def __init__(self, images: Tensor, norms: Mapping[str, nn.Module]) -> None:
        super().__init__()
        self.map: Tensor | None = None
        self.normalised: tuple[str, ...] = ()
        self._images = len(images)
        self._names = {id(norm.running_var): name for name, norm in norms.items()}
        self._called: list[str] = []
        setattr(images, _MARK, True)

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        keywords = dict(kwargs or {})
        result = func(*args, **keywords)
        given = list(_tensors((*args, *keywords.values())))
        if func in (nn.functional.batch_norm, torch.batch_norm):
            self._called.append(self._name_of(given))
        for one in _tensors((result,)):
            if self._is_map(one, getattr(func, "__name__", ""), given):
                setattr(one, _MARK, True)
                self.map, self.normalised = one, tuple(dict.fromkeys(self._called))
        return result

    def _name_of(self, given: list[Tensor]) -> str:
        return next((self._names[id(one)] for one in given if id(one) in self._names), "batch_norm")

    def _is_map(self, result: Tensor, operation: str, given: list[Tensor]) -> bool:
        if result.ndim != 4 or len(result) != self._images:
            return False
        if result.shape[2:].numel() == 1 and any(word in operation for word in _POOLING):
            return False
        return any(getattr(one, _MARK, False) for one in given)


def _tensors(values: tuple[Any, ...]) -> Iterator[Tensor]:
    for value in values:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, (list, tuple)):
            yield from _tensors(tuple(value))
