"""A space of a user's own, with a predicate."""

from hwnas.network import Builder, Network
from hwnas.spaces import Architecture, SearchSpace


class Toy(SearchSpace):
    """Three decisions of 4, 3 and 2 choices; those that add up to more than 5 are not valid."""

    name = "toy"

    def __init__(self, limit: int = 5) -> None:
        self.limit = limit
        self.decisions = {"a": (0, 1, 2, 3), "b": (0, 2, 4), "c": (False, True)}

    def is_valid(self, architecture: Architecture) -> bool:
        return architecture["a"] + architecture["b"] + architecture["c"] <= self.limit

    def settings(self) -> dict[str, object]:
        return {"limit": self.limit}

    def identity(self) -> int:
        return self.limit

    def network(self, architecture: Architecture) -> Network:
        b = Builder()
        x = b.input(3, 8, 8)
        for _ in range(architecture["a"]):
            x = b.relu(b.conv(x, 4 + architecture["b"]))
        return b.build(b.linear(x, 10))


class Plain(SearchSpace):
    """No predicate."""

    name = "plain"
    decisions = {"kernel": (3, 5, 7), "act": ("relu", "swish"), "one": (1,)}

    def network(self, architecture: Architecture) -> Network:
        b = Builder()
        return b.build(b.conv(b.input(3, 8, 8), 4, kernel=architecture["kernel"]))
