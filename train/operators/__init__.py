"""Operators of the networks, with kernels in C or CUDA where the machine allows them."""
