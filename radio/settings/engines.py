"""The names of the engines that can step a model."""

from __future__ import annotations

from typing import Final

AUTO: Final = "auto"
ENGINES: Final = (
    AUTO,
    "native",
    *(f"native:{path}" for path in ("avx512", "avxvnni", "avx2", "dotprod", "neon", "portable")),
    "numpy",
    "torch",
)
"""The values of a station's `engine`. The paths of the native engine can be selected to compare them."""
