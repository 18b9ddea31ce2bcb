"""A new device from about twenty measurements: which networks to measure, and what they tell of the rest."""
