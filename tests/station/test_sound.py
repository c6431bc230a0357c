"""The sound of a station, without the composer."""

from __future__ import annotations

from contextlib import closing

from radio.audio.ambience.mix import Ambience
from radio.audio.leveler import BarShape
from radio.audio.rain import Rain
from radio.audio.synth import Program, Synth
from radio.audio.vinyl import Vinyl
from radio.paths import SOUNDFONT
from radio.settings.controls import Controls
from radio.settings.tone import Tone
from radio.station.layers import Textures
from radio.station.sound import Sound
from radio.types import MIX_BLOCK, SynthEvent


def test_the_loudness_of_a_bar_counts_only_while_one_of_its_layers_is_on() -> None:
    with closing(Synth(SOUNDFONT, {"keys": Program(4)})) as synth:
        sound = Sound(Tone(), synth, Textures(Vinyl(1), Rain(1), Ambience({}, 1)))
        synth.schedule("keys", [SynthEvent(0, 60, 90)])
        sound.leveler.next_bar(0, 20 * MIX_BLOCK, [BarShape("keys")], 0)
        on = Controls()
        off = on.changed({"keys_level": -60})
        for _ in range(5):
            sound.mix(off)
        assert sound.leveler.save().heard == {}
        for _ in range(5):
            sound.mix(on)
        assert sound.leveler.save().heard["keys"].bars > 0
