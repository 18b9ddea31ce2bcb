"""Policies over the decisions of a space, and what they are taught with."""

from hwnas.search.strategies.policy.controller import CONTROLLERS, Controller, make_controller
from hwnas.search.strategies.policy.gradient import PolicyGradient
from hwnas.search.strategies.policy.sample import Sample
from hwnas.search.strategies.policy.settings import PolicySettings

__all__ = ["CONTROLLERS", "Controller", "PolicyGradient", "PolicySettings", "Sample", "make_controller"]
