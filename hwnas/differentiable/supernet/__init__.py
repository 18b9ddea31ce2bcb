"""A supernetwork in torch: mixtures of candidates, weighted by relaxed choices."""
