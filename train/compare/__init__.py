"""Comparison of architectures: trained alike by recipes of one size, and measured together."""
