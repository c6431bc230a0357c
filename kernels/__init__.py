"""WKV, the recurrence at the heart of RWKV: a naive reference that everything faster is tested against."""
