from __future__ import annotations

from radio.settings.controls import LAYERS, Controls


def test_controls_are_silent_if_no_layer_is_audible() -> None:
    muted = {f"{layer}_mute": True for layer in LAYERS}
    assert Controls().changed(muted).silent
    assert Controls().changed(muted | {"keys_mute": False, "keys_level": -60}).silent
    assert not Controls().changed(muted | {"rain_mute": False}).silent
    assert not Controls().silent
