"""Models: checkpoints, engines that step them, and sampling of tokens."""
