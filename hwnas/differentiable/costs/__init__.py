"""Expected costs of a supernetwork, and the targets that they are held to."""
