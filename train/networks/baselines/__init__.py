"""Baselines for comparison with RWKV, in the forms that are trained."""
