"""The autoregressive policy: an LSTM that makes one decision after the other, knowing those before."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from hwnas.search.strategies.policy.sample import Floats, Sample, Weigh, arrays, draw_index
from hwnas.spaces import SearchSpace
from hwnas.threads import one_torch_thread

HIDDEN = 100
INITIAL_RANGE = 0.1

State = tuple[Tensor, Tensor]


class _Network(nn.Module):
    """Choices are embedded by decision and index; each decision has its own softmax over the LSTM's state."""

    def __init__(self, sizes: Sequence[int], generator: torch.Generator) -> None:
        super().__init__()
        decisions, most = len(sizes), max(sizes)
        exists = torch.arange(most) < torch.tensor(sizes)[:, None]
        self.offsets = torch.arange(decisions) * most
        self.impossible = torch.where(exists, 0.0, -torch.inf).double()
        self.start = decisions * most
        self.embedding = nn.Embedding(decisions * most + 1, HIDDEN)
        self.lstm = nn.LSTM(HIDDEN, HIDDEN, batch_first=True)
        self.heads = nn.Parameter(torch.empty(decisions, most, HIDDEN))
        self.biases = nn.Parameter(torch.empty(decisions, most))
        self.double()
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.uniform_(-INITIAL_RANGE, INITIAL_RANGE, generator=generator)

    def forward(self, encodings: Tensor) -> Tensor:
        # [n, decisions] -> [n, decisions, most choices]: log-probabilities, each given the choices before
        tokens = (encodings + self.offsets)[:, :-1]
        first = torch.full((len(encodings), 1), self.start)
        states, _ = self.lstm(self.embedding(torch.cat([first, tokens], dim=1)))
        logits = torch.einsum("ndh,dkh->ndk", states, self.heads) + self.biases + self.impossible
        return torch.log_softmax(logits, dim=-1)

    def step(self, decision: int, token: int, state: State | None) -> tuple[Floats, State]:
        """Probabilities [most choices] of a decision after `token`, and the LSTM's state then."""
        output, state = self.lstm(self.embedding(torch.tensor([[token]])), state)
        logits = self.heads[decision] @ output[0, 0] + self.biases[decision] + self.impossible[decision]
        return torch.softmax(logits, dim=-1).numpy(), state


class RecurrentController:
    """One LSTM layer of 100 units, first weights uniform in ±0.1, as NASNet's and MnasNet's controller.

    Zoph et al., "Learning Transferable Architectures for Scalable Image Recognition", CVPR 2018, appendix
    A; Tan et al., "MnasNet", CVPR 2019, section 3.2. In double precision and on one thread, so that the
    same seed gives the same architectures on any machine's number of cores.

    A decision that the choices before it leave without effect is seen by later ones as its first choice.

    Args:
        space: whose decisions it draws.
        learning_rate: of Adam.
        generator: for the first weights.
    """

    def __init__(self, space: SearchSpace, *, learning_rate: float, generator: np.random.Generator) -> None:
        self._space = space
        self._sizes = [len(choices) for choices in space.choices]
        self._can_lose_effect = type(space).effective is not SearchSpace.effective
        seed = int(generator.integers(2**62))
        with torch.random.fork_rng(
            devices=[]
        ):  # modules draw first weights of their own, from the global one
            self._network = _Network(self._sizes, torch.Generator().manual_seed(seed))
        self._adam = torch.optim.Adam(self._network.parameters(), lr=learning_rate)

    def draw(self, generator: np.random.Generator) -> tuple[int, ...]:
        """A choice for each decision."""
        chosen: tuple[int, ...] = ()
        token, state = self._network.start, None
        with one_torch_thread(), torch.no_grad():
            for decision, (size, uniform) in enumerate(
                zip(self._sizes, generator.random(len(self._sizes)), strict=True)
            ):
                probabilities, state = self._network.step(decision, token, state)
                chosen = self._effective((*chosen, draw_index(probabilities[:size], uniform)))
                token = int(self._network.offsets[decision]) + chosen[-1]
        return chosen

    def log_probabilities(self, samples: Sequence[Sample]) -> Floats:
        """`[n]`: of the decisions with an effect."""
        with one_torch_thread(), torch.no_grad():
            found: Floats = self._taken(*arrays(samples))[0].numpy()
        return found

    def ascend(self, samples: Sequence[Sample], weigh: Weigh, entropy: float) -> None:
        """One step of Adam along the gradient of Σ w·log p + `entropy` · mean entropy, w from `weigh`."""
        with one_torch_thread():
            taken, entropies = self._taken(*arrays(samples))
            weights = torch.from_numpy(weigh(taken.detach().numpy()))
            self._adam.zero_grad()
            (-(weights * taken).sum() - entropy * entropies.mean()).backward()  # type: ignore[no-untyped-call]
            self._adam.step()

    def _taken(self, encodings: npt.NDArray[np.int64], active: Floats) -> tuple[Tensor, Tensor]:
        """Log-probability [n] of the choices taken, and entropy [n], of the decisions with an effect."""
        choices, mask = torch.from_numpy(encodings), torch.from_numpy(active)
        logs = self._network(choices)
        taken = logs.gather(2, choices[:, :, None])[:, :, 0]
        finite = logs.masked_fill(torch.isinf(self._network.impossible), 0.0)
        entropies = -(logs.exp() * finite).sum(dim=-1)
        return (taken * mask).sum(dim=1), (entropies * mask).sum(dim=1)

    def _effective(self, chosen: tuple[int, ...]) -> tuple[int, ...]:
        """The choices so far, as far as those before leave them an effect."""
        if not self._can_lose_effect:
            return chosen
        rest = (0,) * (len(self._sizes) - len(chosen))
        return self._space.effective((*chosen, *rest))[: len(chosen)]
