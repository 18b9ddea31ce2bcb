"""From networks and a device to a latency table: interleaved rounds, repeated passes, a journal."""
