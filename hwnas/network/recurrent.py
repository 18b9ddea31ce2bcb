"""Recipes as torch modules: NAS-Bench-NLP's language model (Klyuchnikov et al., IEEE Access 2022).

The batch comes first throughout. The dropouts of the benchmark's training are left out.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from hwnas.network.recipe import INPUT, Recipe

_ACTIVATIONS = {
    "activation_tanh": nn.Tanh,
    "activation_sigm": nn.Sigmoid,
    "activation_leaky_relu": nn.LeakyReLU,
}


class RecurrentLayer(nn.Module):
    """A recipe over a sequence: `(B, T, inputs) -> (B, T, hidden)`, the `h_new_0` of each step.

    States start at zero. Weights and biases are uniform within ±1/sqrt(hidden).
    """

    def __init__(self, recipe: Recipe, *, inputs: int, hidden: int) -> None:
        super().__init__()
        self.recipe, self.hidden = recipe, hidden
        self.parts = nn.ModuleDict()
        for name, op, sources in recipe.nodes:
            if op == "linear":
                sizes = [inputs if source == INPUT else hidden for source in sources]
                self.parts[f"{name}_{op}"] = _Linear(sizes, hidden)
            elif op in _ACTIVATIONS:
                self.parts[f"{name}_{op}"] = _ACTIVATIONS[op]()
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -(hidden**-0.5), hidden**-0.5)

    def forward(self, x: Tensor) -> Tensor:
        """Outputs (B, T, hidden) for inputs (B, T, inputs)."""
        states: tuple[Tensor, ...] = (x.new_zeros(len(x), self.hidden),) * self.recipe.states
        outputs = []
        for inputs in x.unbind(1):
            states = self.step(inputs, states)
            outputs.append(states[0])
        return torch.stack(outputs, 1)

    def step(self, x: Tensor, states: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """The new states, (B, hidden) each, for an input (B, inputs) and the previous ones."""
        values = {INPUT: x, **dict(zip(self.recipe.previous_states, states, strict=True))}
        for name, op, sources in self.recipe.nodes:
            inputs = [values[source] for source in sources]
            if op == "blend":
                values[name] = inputs[0] * inputs[1] + (1 - inputs[0]) * inputs[2]
            elif op == "elementwise_prod":
                values[name] = inputs[0] * inputs[1]
            elif op == "elementwise_sum":
                values[name] = inputs[0] + inputs[1]
            else:
                values[name] = self.parts[f"{name}_{op}"](*inputs)
        return tuple(values[f"h_new_{i}"] for i in range(self.recipe.states))


class _Linear(nn.ModuleList):
    """The sum of a matrix product for each input, and one bias."""

    def __init__(self, inputs: Sequence[int], outputs: int) -> None:
        super().__init__(nn.Linear(size, outputs, bias=i == 0) for i, size in enumerate(inputs))

    def forward(self, *inputs: Tensor) -> Tensor:
        terms: list[Tensor] = [part(x) for part, x in zip(self, inputs, strict=True)]
        return sum(terms[1:], start=terms[0])


class RecurrentLanguageModel(nn.Module):
    """Predicts each next token: int64 tokens `(B, T)` to logits `(B, vocabulary, T)`.

    The logits are as cross-entropy takes them, with targets `(B, T)`. `features`, a module too, is the
    model without its decoder: tokens `(B, T)` to `(B, T, embedding)`. The decoder has the embedding's
    weights. The defaults are the benchmark's for Penn Treebank, which it unrolls over 70 tokens.

    Args:
        recipe: the cell of all layers.
        vocabulary: number of tokens.
        embedding: size of the embedding and of the last layer.
        hidden: size of the other layers.
        layers: number of layers.

    Raises:
        ValueError: a size is no whole number of at least 1.
    """

    def __init__(
        self,
        recipe: Recipe,
        *,
        vocabulary: int = 10_000,
        embedding: int = 400,
        hidden: int = 600,
        layers: int = 3,
    ) -> None:
        super().__init__()
        for name, value in (
            ("vocabulary", vocabulary),
            ("embedding", embedding),
            ("hidden", hidden),
            ("layers", layers),
        ):
            if not isinstance(value, int) or value < 1:
                raise ValueError(f"{name} must be a whole number of at least 1, not {value!r}")
        parts: OrderedDict[str, nn.Module] = OrderedDict(embedding=nn.Embedding(vocabulary, embedding))
        sizes = [embedding, *[hidden] * (layers - 1), embedding]
        for i, (before, after) in enumerate(pairwise(sizes), start=1):
            parts[f"layer{i}"] = RecurrentLayer(recipe, inputs=before, hidden=after)
        self.features = nn.Sequential(parts)
        self.decoder_bias = nn.Parameter(torch.zeros(vocabulary))
        nn.init.uniform_(self._embedding_weight, -0.1, 0.1)

    @property
    def _embedding_weight(self) -> Tensor:
        return self.features.get_parameter("embedding.weight")

    def forward(self, tokens: Tensor) -> Tensor:
        """Logits (B, vocabulary, T) for tokens (B, T)."""
        features = self.features(tokens)
        logits = nn.functional.linear(features, self._embedding_weight, self.decoder_bias)
        return logits.transpose(1, 2)
