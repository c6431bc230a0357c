"""Long broadcasts at many times real time, and their cost: `python -m bench.soak`."""
