"""A station, which composes, plays and mixes endless music on demand. It uses no clock, socket or file."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace

import numpy as np

from radio.audio.synth import Synth
from radio.compose.bar import Bar
from radio.compose.drum_timing import STEADY, Timing
from radio.compose.feel import LOOKAHEAD, Feel
from radio.compose.lookahead import BarSource
from radio.compose.prime import Prime, from_json
from radio.errors import RadioError, SnapshotError
from radio.music.clock import Clock
from radio.music.events import NoteEvent
from radio.settings.controls import CONTROLS, PLAYED_LAYERS
from radio.settings.station import StationSettings
from radio.station.event_log import EventLog
from radio.station.later_steps import Step, merged
from radio.station.layers import Textures
from radio.station.marks import Mark, Marks
from radio.station.resume import LogEntry, Snapshot
from radio.station.shapes import track_shapes
from radio.station.snapshot import StationState, decode, decode_level, encode
from radio.station.sound import Sound
from radio.types import (
    BEATS_PER_BAR,
    MIX_BLOCK,
    SAMPLE_RATE,
    TICKS_PER_BAR,
    Action,
    Block,
    Frames,
    JsonValue,
    Landing,
    StationEvent,
    SynthEvent,
)


class Station:
    """An endless program of music, determined by checkpoints, settings, seed and the history of control changes.

    Args:
        settings: the station's settings; its controls are the initial ones.
        bars: composes the bars.
        synth: plays the notes of the instruments.
        textures: the other layers.
        seed: determines the human timing of the notes.
        timing: the timing model of the drummer.
        on_bar: called with each bar, once it is certain to be played.
        begins: False if `resume` will be called with a snapshot, so that the first bars need not be composed.
    """

    def __init__(
        self,
        settings: StationSettings,
        bars: BarSource,
        synth: Synth,
        textures: Textures,
        *,
        seed: int,
        timing: Timing = STEADY,
        on_bar: Callable[[Bar], None] = lambda _: None,
        begins: bool = True,
    ) -> None:
        self.settings = settings
        self._on_bar = on_bar
        self.controls = settings.controls
        """The latest values. Those of the music take effect at the bar that `control` returned."""
        self._later: deque[Step] = deque()
        """Control changes for the bars not composed yet, in order."""
        self._composer = bars
        self._sound = Sound(settings.tone, synth, textures)
        self._clock = Clock(settings.controls.tempo)
        self._feels = {layer: Feel(layer, seed, timing) for layer in PLAYED_LAYERS}
        self._next_bar_line: Frames = 0
        self._events = EventLog()
        self._bar_controls = settings.controls  # the controls of the latest composed bar
        self._replayed: deque[LogEntry] = deque()
        """Log entries that are still to be replayed after resuming from a snapshot."""
        self._snapshot: StationState | None = None
        self._marks = Marks()
        self._buffer: Block = np.empty((0, 2), np.float32)
        """Mixed audio that `render` has not returned yet."""
        if begins:  # the sound lags behind the notes: mixing one block now puts the first bar line at frame 0
            self._buffer = self._mix()[self._sound.latency :]

    @property
    def position(self) -> Frames:
        """The next frame to be rendered."""
        return self.mixed - self._sound.latency - len(self._buffer)

    @property
    def mixed(self) -> Frames:
        """The next frame to be mixed: a change of the mix takes effect there."""
        return self._sound.mixed

    def render(self, frames: Frames) -> Block:
        """Return the next `frames` of audio. The samples do not depend on the sizes requested.

        Raises:
            SignalError: The sound is not music: silent although notes are played, stuck, or not finite.
            ModelError: A bar cannot be composed.
        """
        out = np.empty((frames, 2), dtype=np.float32)
        done = 0
        while done < frames:
            if not len(self._buffer):
                self._buffer = self._mix()
            part = self._buffer[: frames - done]
            out[done : done + len(part)] = part
            self._buffer = self._buffer[len(part) :]
            done += len(part)
        return out

    def control(self, patch: Step, later: Sequence[Step] = ()) -> dict[str, Landing]:
        """Change controls.

        A change to the music takes effect at the first bar that is not composed yet. A change to the harmony takes
        effect with the first chord loop that begins there or later; its frame is exact only while the tempo stays the
        same. A change to the mix takes effect with the next block to be mixed.

        Args:
            patch: Values by control. They replace values from earlier calls for later bars.
            later: Changes for the bars after that, one per bar, so that a value moves in steps. Changes to the mix take
                effect slightly before their bar lines. `events` reports when each was made.

        Returns:
            For each control of `patch`, the bar and frame from which the change is audible.

        Raises:
            ControlError: a control is unknown or its value out of range; nothing is changed.
        """
        controls = self.controls.changed(patch)
        for step in later:
            controls.changed(step)
        self._later = merged(self._later, patch, later)
        return self._change(patch)

    def _change(self, patch: Step) -> dict[str, Landing]:
        """Change controls now and return where each change takes effect."""
        self.controls = self.controls.changed(patch)
        landings = {
            "bar": self._landing(self._composer.next_number),
            "loop": self._landing(self._composer.next_loop),
            "mix": Landing(self._bar_at(self.mixed), self.mixed),
        }
        mix_changes: dict[str, JsonValue] = {
            name: getattr(self.controls, name) for name in patch if CONTROLS[name].lands == "mix"
        }
        if mix_changes:
            self._events.add(self.mixed, "control", mix_changes)
        return {name: landings[CONTROLS[name].lands] for name in patch}

    def act(self, action: Action) -> Landing:
        """Perform a listener's action at the first bar not composed yet; likes and dislikes affect later tracks.

        Returns:
            The bar and frame from which it is audible. The frame is exact only while the tempo stays the same.

        Raises:
            ControlError: The track to like or dislike does not exist.
        """
        return self._landing(self._composer.act(action, self.controls))

    def prime(self, prime: Prime) -> dict[str, Landing]:
        """Base the next track, and two more after it, on `prime`.

        Returns:
            `prime` is where that takes effect: the first bar that is not composed yet. `track` is where the next track
            begins; its frame is exact only while the tempo stays the same.
        """
        first_bar = self._composer.prime(prime, self.controls)
        now = Landing(self._composer.next_number, self._next_bar_line)
        ahead = (first_bar - now.bar) * 60 * SAMPLE_RATE * BEATS_PER_BAR / self._clock.tempo
        return {"prime": now, "track": Landing(first_bar, now.frame + round(ahead))}

    @property
    def next_bar_line(self) -> Frames:
        """The frame at which the first bar not composed yet begins. `render` composes it shortly before that frame."""
        return self._next_bar_line

    def prepare(self) -> None:
        """Compose the next bar early, to save `render` the work. May be called from any thread.

        The audio is the same without this call.
        """
        self._composer.prepare(self.controls.changed(self._later[0] if self._later else {}))

    def events(self) -> list[StationEvent]:
        """Return the events rendered since the last call, in order of frame."""
        return self._events.take(self.position)

    def take_snapshot(self) -> Snapshot | None:
        """Return a snapshot of the latest bar line, if there has been one since the last call."""
        state, self._snapshot = self._snapshot, None
        return None if state is None else encode(state)

    def resume(self, snapshot: bytes, log: Sequence[LogEntry]) -> None:
        """Resume from a snapshot, or continue at the current place if it is empty, and replay `log`.

        Notes, bars and events are the same from the start; the sound is complete `PREROLL` after the snapshot's frame.

        Raises:
            SnapshotError: the snapshot is damaged, of another version, or does not fit the station.
        """
        if snapshot:
            state = decode(snapshot)
            try:
                self._restore(state)
            except (RadioError, ValueError, TypeError, LookupError, OverflowError) as error:
                raise SnapshotError(f"the snapshot does not fit this station: {error}") from error
        self._replayed = deque(entry for entry in log if entry.frame > self.mixed or not snapshot)

    def mark(self) -> None:
        """Remember this place, so that `rewind` can return to it. Has no effect if the bars cannot be saved."""
        if (mark := self._place()) is not None:
            self._marks.add(mark)

    def branch(self) -> None:
        """Remember this place, just after a change, as the first one to return to once the change is settled."""
        if (mark := self._place()) is not None:
            self._marks.branch(mark)

    def settle(self) -> None:
        """Make the change before `branch` final: `rewind` will not go back before it."""
        self._marks.settle()
        self._sound.synth.settle()

    def rewind(self, frame: Frames) -> bool:
        """Return to the last mark at or before `frame`, or else to the first mark. An unsettled change is undone.

        Bars, notes and events are repeated. So is the sound, because the notes of `PREROLL` are played again first.

        Returns:
            False if there is no mark.
        """
        if not self._marks:
            return False
        mark, start, notes = self._marks.return_to(frame)
        self._restore_music(mark.state)
        self._sound.rewind(mark.state, mark.sound)
        self._sound.synth.rewind(start, notes, mark.state.frame, mark.state.synth)
        self._buffer, self._replayed = mark.buffer, deque(mark.replayed)
        return True

    def forget(self, frame: Frames) -> None:
        """Forget the marks that `rewind` will not need if only called for `frame` or later."""
        self._sound.synth.forget(self._marks.forget(frame))

    def close(self) -> None:
        """Free the synthesizer."""
        self._sound.synth.close()

    def _mix(self) -> Block:
        """Compose the bars that begin in the next block, and return the block."""
        while self._replayed and self._replayed[0].frame <= self.mixed:
            self._repeat(self._replayed.popleft())
        while self._next_bar_line < self.mixed + MIX_BLOCK + LOOKAHEAD:
            self._compose()
        return self._sound.mix(self.controls)

    def _save(self) -> StationState | None:
        """Return the state before the next bar is composed, or None if the bars cannot be saved."""
        if (composer := self._composer.save()) is None:
            return None
        sound = self._sound
        return StationState(
            sound.mixed,
            self._next_bar_line,
            self.controls,
            self._bar_controls,
            composer,
            {layer: feel.save() for layer, feel in self._feels.items()},
            self._clock.save(),
            sound.moves.save(),
            sound.leveler.save(),
            sound.synth.save(),
            tuple(sound.cues.kicks),
            tuple(sound.cues.bass_notes),
            tuple(sound.cues.snares),
            self._events.save(),
            tuple(self._later),
        )

    def _place(self) -> Mark | None:
        """Return a mark of the current place, or None if the bars cannot be saved."""
        self._sound.synth.keep_past()
        if (state := self._save()) is None:
            return None
        return Mark(self.position, state, self._sound.mark(), self._buffer, tuple(self._replayed))

    def _restore(self, state: StationState) -> None:
        self._restore_music(state)
        self._sound.restore(state)
        self._buffer = self._buffer[:0]
        self._marks.clear()

    def _restore_music(self, state: StationState) -> None:
        self._next_bar_line = state.next_bar_line
        self.controls, self._bar_controls = state.controls, state.bar_controls
        self._later = deque(state.later)
        self._composer.restore(state.composer)
        for layer, feel in self._feels.items():
            feel.restore(state.feels[layer])
        self._clock.restore(state.clock)
        self._events.restore(state.events)
        self._snapshot = None

    def _repeat(self, entry: LogEntry) -> None:
        if entry.patch:
            self.control(entry.patch, entry.later)
        if entry.action is not None:
            self.act(entry.action)
        if entry.prime is not None:
            self.prime(from_json(entry.prime))
        if entry.level:
            self._sound.leveler.restore(decode_level(entry.level))

    def _compose(self) -> None:
        self._snapshot = self._save()
        if self._later and (step := self._later.popleft()):
            self._change(step)
        controls = self.controls
        tick = self._composer.next_number * TICKS_PER_BAR
        bar = self._composer.next_bar(controls)
        self._clock.set_tempo(tick, bar.tempo)
        self._clock.forget(tick - TICKS_PER_BAR)
        self._on_bar(bar)
        for feel in self._feels.values():
            feel.begin_bar(tick)
            if bar.opens_track:
                feel.begin_track(bar.track.number)
        frame, self._next_bar_line = self._clock.frame(tick), self._clock.frame(tick + TICKS_PER_BAR)
        shapes, place = track_shapes(bar, controls.energy, frozenset(self.settings.layers))
        level = self._sound.leveler.next_bar(frame, self._next_bar_line, shapes, place)
        mix = replace(bar.plan.mix, level_db=level)
        controls = controls.changed(asdict(bar.track.wish))  # a changed harmony waits for the next chord loop
        self._events.add_controls(frame, self._bar_controls, controls)
        if bar.opens_track:
            self._events.add_track(frame, bar, self._clock.tempo)
        self._events.add_bar(bar, mix, self._clock)
        self._sound.begin_bar(frame, self._next_bar_line, mix, bar.programs)
        for layer, events in bar.events.items():
            self._schedule(layer, events, bar.swing)
        self._bar_controls = controls

    def _schedule(self, layer: str, events: Sequence[NoteEvent], swing: float) -> None:
        feel = self._feels[layer]
        synth_events = []
        for event in events:
            frame = feel.place(event.tick, event.note, self._clock, swing)
            synth_events.append(SynthEvent(frame, event.note, event.velocity))
            if event.velocity:
                self._sound.cues.add(frame, layer, event.note, event.velocity)
            self._events.add_note(frame, layer, event)
        self._sound.synth.schedule(layer, synth_events)

    def _landing(self, bar: int) -> Landing:
        """Return the landing of a bar that is not composed yet, assuming the tempo of the latest controls."""
        frames_per_bar = 60 * SAMPLE_RATE * BEATS_PER_BAR / self.controls.tempo
        return Landing(bar, self._next_bar_line + round((bar - self._composer.next_number) * frames_per_bar))

    def _bar_at(self, frame: Frames) -> int:
        """Return the number of the bar at `frame`, which is the last composed bar or the one before it."""
        last = self._composer.next_number - 1
        return last if frame >= self._clock.frame(last * TICKS_PER_BAR) else last - 1
