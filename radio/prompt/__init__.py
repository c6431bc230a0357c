"""Prompts: words such as "rainy night, slow, felt piano, no drums" become settings, without any model."""
