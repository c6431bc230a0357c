"""Construction of a station from its settings: its models, conductor, instruments and textures."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path

from radio.audio.ambience.mix import Ambience
from radio.audio.loop_folder import LoopFolder
from radio.audio.rain import Rain
from radio.audio.soundfont import presets
from radio.audio.synth import Program, Synth
from radio.audio.vinyl import Vinyl
from radio.compose import drum_timing as timings
from radio.compose import run_filter
from radio.compose.band_composer import BandComposer
from radio.compose.bar import Bar
from radio.compose.composer import Composer
from radio.compose.conductor import Conductor
from radio.compose.drum_timing import STEADY, Timing
from radio.compose.instruments import THIRD_PROGRAMS, Instruments
from radio.compose.listening.reading import read_prime
from radio.compose.listening.requested import as_requested
from radio.compose.lookahead import Ahead, BarComposer, BarSource
from radio.compose.loop_writer import LoopWriter
from radio.compose.prime import Prime, random_prime
from radio.compose.track_writer import TrackWriter
from radio.errors import AudioError
from radio.model import bass_model, tuned_state
from radio.model.engines.selection import open_engine
from radio.model.weights import checkpoint
from radio.music.chord_loops import parse_loop
from radio.music.midi_parts import parse_part
from radio.music.parts import BAND, CHORDS, DRUMS, PIANO
from radio.paths import DRUM_TIMINGS
from radio.settings.station import RANDOM_PRIME, StationSettings
from radio.station.layers import Textures
from radio.station.station import Station


def open_station(
    settings: StationSettings,
    *,
    seed: int | None = None,
    bars: BarSource | None = None,
    on_bar: Callable[[Bar], None] = lambda _: None,
    begins: bool = True,
) -> Station:
    """Load the station's models and sounds.

    Args:
        seed: replaces the seed in the settings.
        bars: a source of bars to play instead of those that the models compose.
        on_bar: called with each bar, once it is certain to be played.
        begins: False if the station will resume from a snapshot before it plays anything.

    Raises:
        ModelError: a checkpoint or the table of drum timings cannot be used.
        AudioError: the soundfont or a loop cannot be used.
    """
    actual_seed = settings.seed if seed is None else seed
    synth, textures = open_sounds(settings, actual_seed)
    try:
        return Station(
            settings,
            bars or Ahead(open_composer(settings, actual_seed)),
            synth,
            textures,
            seed=music_seed(settings, actual_seed),
            timing=open_timing(settings),
            on_bar=on_bar,
            begins=begins,
        )
    except Exception:
        synth.close()
        raise


def music_seed(settings: StationSettings, seed: int) -> int:
    """Return the seed of the music's random generators. Stations with the same `seed` differ by their names."""
    return int.from_bytes(blake2b(f"{settings.name}/{seed}".encode(), digest_size=8).digest()) >> 1


def open_sounds(settings: StationSettings, seed: int) -> tuple[Synth, Textures]:
    """Load the station's instruments and textures.

    Raises:
        AudioError: the soundfont or a loop cannot be used.
    """
    textures = Textures(
        Vinyl(seed),
        LoopFolder(settings.loops) if settings.loops else Rain(seed),
        Ambience(settings.ambience.audible(), seed),
    )
    return open_synth(settings), textures


def open_synth(settings: StationSettings) -> Synth:
    """Load the station's instruments.

    Raises:
        AudioError: the soundfont cannot be used, or lacks a program of the settings.
    """
    synth = Synth(settings.soundfont, open_programs(settings))
    try:
        for program in settings.keys_programs:
            synth.check(Program(program))
    except AudioError:
        synth.close()
        raise
    return synth


def open_programs(settings: StationSettings) -> dict[str, Program]:
    """Return a program for each layer that the station plays: the first of those from which its tracks draw."""
    instruments = open_instruments(settings)
    programs = {
        "keys": Program(instruments.keys[0]),
        "bass": Program(instruments.bass[0]),
        "drums": Program(settings.drum_kit, drums=True),
    }
    if instruments.lead:
        programs["lead"] = Program(instruments.lead[0])
    return programs


def open_instruments(settings: StationSettings) -> Instruments:
    """Return the programs from which the station's tracks draw; for the lead, only those that the soundfont has.

    A soundfont that cannot be read is assumed to have the programs of the settings.
    """
    try:
        known = frozenset(presets(settings.soundfont))
    except AudioError:
        known = frozenset((0, program) for program in settings.lead_programs)
    melodic = {program for bank, program in known if bank == 0}
    return Instruments(
        keys=settings.keys_programs,
        bass=(settings.bass_program,),
        lead=[program for program in settings.lead_programs if program in melodic],
        third=[program for program in THIRD_PROGRAMS if program in melodic],
        kit=settings.drum_kit,
        presets=known,
    )


def open_timing(settings: StationSettings) -> Timing:
    """Load the timing model of the station's drummer.

    Raises:
        ModelError: the table of timings cannot be read.
    """
    if settings.timing == "steady":
        return STEADY
    table = timings.read(DRUM_TIMINGS)
    return table.get(settings.style, table[timings.ANY])


def open_composer(settings: StationSettings, seed: int) -> BarComposer:
    """Load the station's models and conductor, without its sounds.

    Raises:
        ModelError: a checkpoint or a tuned state cannot be used.
        MidiError: the prime cannot be used.
    """
    composer = _open_separate(settings, seed) if settings.band is None else _open_band(settings, settings.band, seed)
    if settings.prime is not None:
        prime = open_prime(settings.prime, settings.prime_part, seed)
        composer.prime(as_requested(prime, settings.prime_leaves, settings.controls), settings.controls)
    return composer


def _open_separate(settings: StationSettings, seed: int) -> BarComposer:
    """Return the composer of a station whose parts have separate models."""
    piano, drums = checkpoint.read(settings.piano, PIANO), checkpoint.read(settings.drums, DRUMS)
    tuned = {"keys": (settings.piano_state, piano), "drums": (settings.drums_state, drums)}
    return Composer(
        open_engine(piano, settings.engine),
        open_engine(drums, settings.engine),
        open_conductor(settings, seed),
        seed=music_seed(settings, seed),
        bass=bass_model.read(settings.bass),
        known=run_filter.next_to(settings.piano),
        initial={layer: tuned_state.read(path, model) for layer, (path, model) in tuned.items() if path is not None},
    )


def _open_band(settings: StationSettings, path: Path, seed: int) -> BarComposer:
    """Return the composer of a station with one model for all layers."""
    engine = open_engine(checkpoint.read(path, BAND), settings.engine)
    return BandComposer(engine, open_conductor(settings, seed), seed=music_seed(settings, seed))


def open_prime(path: Path, part: str, seed: int) -> Prime:
    """Read the music from which a station starts, or draw random notes.

    Raises:
        MidiError: the file cannot be used.
    """
    return random_prime(seed) if path == RANDOM_PRIME else read_prime(path, parse_part(part))


def open_conductor(settings: StationSettings, seed: int) -> Conductor:
    """Load only the station's form and harmony.

    Raises:
        ModelError: the chord checkpoint cannot be used.
    """
    tracks = TrackWriter(
        writer=LoopWriter(open_engine(checkpoint.read(settings.chords, CHORDS), settings.engine), settings.style),
        progressions=[parse_loop(bars) for bars in settings.progressions],
        keys=settings.keys,
        seed=music_seed(settings, seed),
        tempo_spread=settings.tempo_spread,
        textures=settings.textures,
        layers=frozenset(settings.layers),
        instruments=open_instruments(settings),
    )
    return Conductor(tracks, style=settings.style, tempo=settings.controls.tempo)
