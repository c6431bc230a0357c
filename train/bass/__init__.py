"""Training of the bass model, and its figures."""
