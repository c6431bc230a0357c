"""What a listener at this machine sees and presses."""
