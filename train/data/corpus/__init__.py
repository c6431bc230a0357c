"""Corpora: each reads its own format and yields pieces on the beat grid."""
