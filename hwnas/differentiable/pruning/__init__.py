"""Search by pruning a supernetwork, by scores of untrained networks."""
