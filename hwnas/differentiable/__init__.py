"""Search by gradients: supernets, relaxed choices, expected costs and bilevel optimisation."""
