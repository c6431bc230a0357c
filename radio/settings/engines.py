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
"""What `engine:` of a station can be. A path of the native engine is named only to compare it with the others."""
