"""Long programmes at many times real time, and what they cost: `python -m bench.soak`."""
