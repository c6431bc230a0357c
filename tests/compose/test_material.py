from __future__ import annotations

from radio.compose.conductor import Conductor
from radio.compose.loop_writer import LoopWriter
from radio.compose.material import Inputs, Material, MaterialWriter
from radio.compose.performer import Performer
from radio.compose.request import request_of
from radio.compose.track_writer import TrackWriter
from radio.model.engines.selection import open_engine
from radio.music.chord_loops import parse_loop
from radio.music.parts import DRUMS, PIANO
from radio.settings.controls import Controls
from tests.model.models import checkpoint


def writer(together: int) -> MaterialWriter:
    tracks = TrackWriter(
        writer=LoopWriter(open_engine(checkpoint("chords"))),
        progressions=[parse_loop(["Dm7", "G7"])],
        keys=("C",),
        seed=4,
    )
    conductor = Conductor(tracks, style="hiphop")
    request, sampling, drums_sampling = request_of(Controls())
    inputs = Inputs(conductor.following, request, sampling, drums_sampling, "hiphop")
    performers = {
        "keys": Performer(open_engine(checkpoint("piano")), PIANO, (4, 0)),
        "drums": Performer(open_engine(checkpoint("drums")), DRUMS, (4, 1)),
    }
    return MaterialWriter(conductor, performers, inputs, seed=(4, 1), together=together)


def test_candidates_sampled_together_equal_those_sampled_one_by_one() -> None:
    one_by_one = writer(1).finish()
    assert writer(5).finish() == one_by_one
    assert isinstance(one_by_one, Material)


def test_a_writer_stopped_between_two_groups_continues_from_its_draft() -> None:
    first, other = writer(4), writer(4)
    for _ in range(3):
        first.advance()
    other.draft = first.draft
    assert other.finish() == first.finish()
