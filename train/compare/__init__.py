"""Comparison of architectures, trained in the same way by recipes of one size and measured together."""
