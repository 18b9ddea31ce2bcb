"""Kernels: the groups of layers that a runtime executes as one, and their times from its own profile."""
