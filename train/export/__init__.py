"""From a run to a file: export, conversion to other formats, and model cards."""
