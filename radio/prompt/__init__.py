"""Words become settings: a prompt such as "rainy night, slow, felt piano, no drums" is read without any model."""
