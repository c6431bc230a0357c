"""An endless lo-fi radio: two RWKV models write, FluidSynth plays, listeners hear it as it is made."""

__version__ = "0.2.0"
