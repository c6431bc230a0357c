"""From MIDI to a checkpoint: prepare a corpus, fit a model, evaluate and export it. Run from a checkout."""
