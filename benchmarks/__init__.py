"""The numbers that the read-me states, each printed by `make bench`."""
