"""One table of architectures: trained alike by recipes of one size, measured in one run."""
