"""From models to music: the conductor plans bars, performers play them, and the composer combines the two."""
