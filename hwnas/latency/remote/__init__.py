"""Machines without hwnas: one runner file, bundles that are carried there and back, and SSH."""
