"""An endless lo-fi radio: RWKV models compose, FluidSynth plays, and listeners hear the music as it is made."""

__version__ = "0.2.0"
