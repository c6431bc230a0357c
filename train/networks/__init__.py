"""The networks in their parallel form, for training."""
