"""Numbers only: what a checkpoint holds, how it is stepped, how a token is drawn."""
