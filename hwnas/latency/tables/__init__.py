"""Latency tables: entries with their provenance, as folders, merged."""
