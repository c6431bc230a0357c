"""Numpy engines of the baselines that RWKV is compared with."""
