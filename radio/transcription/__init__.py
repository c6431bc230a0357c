"""Transcription of recordings: audio of up to a minute becomes notes."""
