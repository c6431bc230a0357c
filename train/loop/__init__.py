"""The training loop: recipes, batches, the Lightning module, checkpoints, progress and logs."""
