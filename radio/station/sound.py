"""The sound of a station: notes and textures, mixed block by block."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass

from radio.audio.ambience.mix import AmbienceState
from radio.audio.leveler import Leveler
from radio.audio.mixer import Mixer
from radio.audio.signal_guard import SignalGuard
from radio.audio.synth import Synth
from radio.settings.controls import Controls
from radio.settings.tone import Tone
from radio.station.layers import Textures, change_programs
from radio.station.moves import Moves
from radio.station.note_cues import NoteCues
from radio.station.snapshot import StationState
from radio.types import MIX_BLOCK, Block, Frames, MixMove


@dataclass(frozen=True, slots=True)
class SoundMark:
    """The state of the sound at one place, except for the synthesizer and the contents of a snapshot.

    strikes: frame and layer of the upcoming notes.
    """

    mixer: Mixer
    leveler: Leveler
    guard: SignalGuard
    strikes: tuple[tuple[Frames, str], ...]
    ambience: AmbienceState


class Sound:
    """The renderer of a station's scheduled notes and its textures.

    Args:
        tone: The tone of the mix.
        synth: Plays the notes of the instruments.
        textures: The other layers.
    """

    def __init__(self, tone: Tone, synth: Synth, textures: Textures) -> None:
        self.mixed: Frames = 0
        """The next frame to be mixed. The mixed audio lags behind it by `latency`."""
        self.synth = synth
        self.moves = Moves()
        self.cues = NoteCues()
        self.leveler = Leveler(tone.loudness)
        self._tone = tone
        self._textures = textures
        self._mixer = Mixer(tone)
        self._guard = SignalGuard(-self.latency)

    @property
    def latency(self) -> Frames:
        """Frames by which the mix lags behind the notes."""
        return self._mixer.latency

    def begin_bar(self, frame: Frames, end: Frames, move: MixMove, programs: Mapping[str, int]) -> None:
        """Schedule the move of the mix in the bar from `frame` to `end`, and the programs of its layers."""
        self.moves.add(frame, end, move)
        change_programs(self.synth, programs, frame)

    def mix(self, controls: Controls) -> Block:
        """Return the next block.

        Raises:
            SignalError: The block is not music: silent although notes are played, stuck, or not finite.
        """
        end = self.mixed + MIX_BLOCK
        stems = self.synth.render(MIX_BLOCK)
        stems |= self._textures.render(MIX_BLOCK, controls, self._mixer.is_audible)
        cues, layers = self.cues.take(self.mixed, end)
        move = self.moves.at(end)
        block = self._mixer.process(stems, controls, move, cues)
        struck = any(self._mixer.carries(layer, controls, move) for layer in layers)
        self._guard.check(block, struck=struck)
        self.leveler.add(block, self.mixed, move.gain, controls.silenced)
        self.mixed = end
        return block

    def mark(self) -> SoundMark:
        """Return the state that `rewind` needs to return to this place."""
        parts = deepcopy((self._mixer, self.leveler, self._guard))
        return SoundMark(*parts, tuple(self.cues.strikes), self._textures.ambience.save())

    def restore(self, state: StationState) -> None:
        """Resume from a snapshot. Notes and reverb from before it are missing."""
        self._restore_music(state)
        self.synth.restore(state.synth, state.frame)
        self.leveler.restore(state.leveler)
        self._mixer = Mixer(self._tone)
        self._mixer.seek(state.frame)
        self._guard = SignalGuard(state.frame - self.latency)

    def rewind(self, state: StationState, mark: SoundMark) -> None:
        """Return to a mark, given the state of a snapshot taken there. The synthesizer is left unchanged."""
        self._restore_music(state)
        self._mixer, self.leveler, self._guard = deepcopy((mark.mixer, mark.leveler, mark.guard))
        self.cues.strikes = list(mark.strikes)
        self._textures.ambience.restore(mark.ambience)

    def _restore_music(self, state: StationState) -> None:
        """Restore the frame, the moves of the mix and the upcoming notes."""
        self.mixed = state.frame
        self.moves.restore(state.moves)
        self.cues = NoteCues(state.kicks, state.bass_notes, state.snares)
        self._textures.seek(state.frame)
