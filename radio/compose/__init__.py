"""From models to music: performers play bars, the conductor says what is to be played, the composer joins them."""
