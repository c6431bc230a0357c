"""The composer of a station whose layers all come from one model: conductor and band, bar by bar.

The conductor plans tracks, forms and chords as it does for other stations, so key, mood, energy and listeners' actions
work the same way. No material is written ahead: the model samples each bar when it is due.
"""

from __future__ import annotations

from radio.compose.band_performer import BandPerformer
from radio.compose.bar import Bar
from radio.compose.composer import ComposerState
from radio.compose.conducted import ConductedComposer
from radio.compose.conductor import Conductor
from radio.compose.pace import tempo_and_swing
from radio.compose.request import request_of
from radio.errors import ModelError
from radio.model.engines.base import Engine
from radio.settings.controls import Controls


class BandComposer(ConductedComposer):
    """A composer of successive bars, as a function of (model, settings, seed, controls at each bar).

    Args:
        engine: Engine of a model of the part `band`.
        conductor: Plans the bars.
        seed: Seed of the random generators.
    """

    def __init__(self, engine: Engine, conductor: Conductor, *, seed: int) -> None:
        super().__init__(conductor)
        self._seed = seed
        self._performer = BandPerformer(engine, (seed, 0))
        self._asked = (0.0, 0.0)
        """The requested tempo and swing when the track began."""
        self.next_number = 0
        """Number of the next bar."""

    def next_bar(self, controls: Controls, *, write_ahead: bool = True) -> Bar:  # noqa: ARG002 — it has no material
        """Compose the next bar under `controls`."""
        request, sampling, _ = request_of(controls)
        track, plan, _ = self._conductor.next_bar(request)
        releases = {}
        if plan.number == track.first_bar:
            drums = "drums" in self._conductor.layers
            releases = self._performer.reset((self._seed, track.number), bar=plan.number, drums=drums)
            self._asked = controls.tempo, controls.swing
        played = self._performer.play(plan, track.scale, request, sampling)
        self.next_number += 1
        tempo, swing = tempo_and_swing(track, controls, self._asked)
        events = {layer: [*releases.get(layer, ()), *notes] for layer, notes in played.items()}
        return Bar(plan, track, tempo, swing, events, self._conductor.instruments.played(track.programs, controls))

    def save(self) -> ComposerState:
        """Return everything that the next bar depends on."""
        return ComposerState(
            seed=self._seed,
            next_number=self.next_number,
            conductor=self._conductor.save(),
            performers={},
            piece=None,
            next_inputs=None,
            draft=None,
            asked=self._asked,
            band=self._performer.save(),
        )

    def restore(self, saved: ComposerState) -> None:
        """Continue from a saved state.

        Raises:
            ModelError: The state is from another kind of station or another model.
        """
        if saved.band is None:
            raise ModelError("the state is from a station without a band model")
        self._performer.restore(saved.band)
        self._seed, self.next_number, self._asked = saved.seed, saved.next_number, saved.asked
        self._conductor.restore(saved.conductor)
