"""What the proxy `epsilon` is computed with: constant weights, the outputs under them, and their choice."""

from hwnas.proxies.epsilon.choose import Choice, choose_weights

__all__ = ["Choice", "choose_weights"]
