"""What preparation does to drumming: where its hits belong on the grid, how often it is read, and how it is varied."""
