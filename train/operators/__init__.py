"""Operators of the networks, with kernels in C or CUDA if the machine supports them."""
