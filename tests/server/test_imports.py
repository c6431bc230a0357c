from __future__ import annotations

import subprocess
import sys

HEAVY = ("av", "torch", "radio.audio.mixer", "radio.audio.synth", "radio.compose.composer", "radio.model.engines")


def test_the_server_loads_neither_models_nor_codecs() -> None:
    """Only workers and tasks load them. They would delay the server's start by a third of a second and add 20 MB."""
    program = f"import sys, radio.server.app; print(*sorted(set(sys.modules) & set({HEAVY})))"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True, timeout=120)
    assert result.stdout.split() == []
