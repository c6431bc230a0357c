"""The command line of `python -m train`: one module per command."""
