"""Small corpora in the real formats, written by the tests. The data sets themselves are not in this repository."""

from __future__ import annotations

from pathlib import Path

import mido

PPQ = 480


def pop909_song(root: Path, number: int, *, bars: int = 6, odd_bar: int | None = None) -> Path:
    """Write a song at 100 BPM whose piano plays C E G B on each beat of odd bars and A C E G on those of even bars."""
    folder = root / f"{number:03}"
    folder.mkdir(parents=True)
    beat = 0.6
    file = mido.MidiFile(ticks_per_beat=PPQ)
    melody, piano = mido.MidiTrack(), mido.MidiTrack()
    melody.append(mido.MetaMessage("track_name", name="MELODY"))
    melody.append(mido.Message("note_on", note=84, velocity=100, time=0))
    melody.append(mido.Message("note_off", note=84, time=PPQ))
    piano.append(mido.MetaMessage("track_name", name="PIANO"))
    lines, downbeats = [], []
    place = 0
    for bar in range(bars):
        downbeats.append(place)
        place += 3 if bar == odd_bar else 4
    for bar, first in enumerate(downbeats):
        length = (downbeats[bar + 1] if bar + 1 < bars else place) - first
        lines += [
            f"{(first + offset) * beat:.6f} {float(offset == 0)} {float(offset == 0)}" for offset in range(length)
        ]
    lines.append(f"{place * beat:.6f} 1.0 1.0")
    ticks_per_beat = round(beat * PPQ / 0.5)  # the file keeps the default tempo of 120 BPM: only seconds matter
    chords = [(48, 52, 55, 59), (45, 48, 52, 55)]
    chord_lines = []
    events = []
    for bar, first in enumerate(downbeats):
        end = downbeats[bar + 1] if bar + 1 < bars else place
        chord_lines.append(f"{first * beat:.6f}\t{end * beat:.6f}\t{'C:maj/3' if bar % 2 == 0 else 'A:min'}")
        for offset in range(end - first):
            for note in chords[bar % 2]:
                start = (first + offset) * ticks_per_beat
                events += [(start, note, 70), (start + ticks_per_beat // 2, note, 0)]
    now = 0
    for tick, note, velocity in sorted(events):
        piano.append(mido.Message("note_on", note=note, velocity=velocity, time=tick - now))
        now = tick
    file.tracks += [melody, piano]
    file.save(folder / f"{number:03}.mid")
    (folder / "beat_midi.txt").write_text("\n".join(lines) + "\n")
    (folder / "chord_midi.txt").write_text("\n".join(chord_lines) + "\n")
    return folder


def groove_file(path: Path, hits: list[tuple[float, int, int]]) -> None:
    """Write drum hits, given as (beat, pad, velocity)."""
    file = mido.MidiFile(ticks_per_beat=PPQ)
    track = mido.MidiTrack()
    events = sorted(
        event
        for beat, pad, velocity in hits
        for event in ((round(beat * PPQ), pad, velocity), (round(beat * PPQ) + 60, pad, 0))
    )
    now = 0
    for tick, pad, velocity in events:
        track.append(mido.Message("note_on", channel=9, note=pad, velocity=velocity, time=tick - now))
        now = tick
    file.tracks.append(track)
    path.parent.mkdir(parents=True, exist_ok=True)
    file.save(path)


def groove(root: Path) -> Path:
    """Write a hip-hop beat for training, a fill for validation, and one performance in 3/4, to be left out."""
    beat = [
        hit
        for bar in range(4)
        for hit in (
            (4 * bar, 36, 100), (4 * bar + 1, 40, 90), (4 * bar + 2.51, 36, 90), (4 * bar + 3, 38, 90),
            *((4 * bar + eighth / 2, 22, 60) for eighth in range(8)),
        )
    ]  # fmt: skip
    groove_file(root / "groove" / "d1" / "beat.mid", beat)
    groove_file(root / "groove" / "d1" / "fill.mid", [(2, 48, 80), (2.5, 45, 80), (3, 58, 80)])
    groove_file(root / "groove" / "d1" / "waltz.mid", [(0, 36, 80)])
    (root / "groove" / "info.csv").write_text(
        "drummer,session,id,style,bpm,beat_type,time_signature,midi_filename,audio_filename,duration,split\n"
        "d1,s,d1/s/1,hiphop/groove1,90,beat,4-4,d1/beat.mid,,1,train\n"
        "d1,s,d1/s/2,rock,90,fill,4-4,d1/fill.mid,,1,validation\n"
        "d1,s,d1/s/3,rock,90,beat,3-4,d1/waltz.mid,,1,train\n"
        "d1,s,d1/s/4,rock,90,beat,4-4,d1/beat.mid,,1,test\n"
    )
    return root
