"""How fast each part of the radio is on this machine: `make bench`."""
