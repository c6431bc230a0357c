"""Training of the radio's models: prepare a corpus, fit a model, evaluate and export it. Run from a checkout."""
