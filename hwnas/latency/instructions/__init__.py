"""Latencies of microcontrollers from instruction counts of single operators, counted in an emulator."""
