"""Supernets whose weights all architectures of a space inherit, and the accuracy that they then have."""
