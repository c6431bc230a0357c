"""WKV, the recurrence of RWKV: naive references, and the fast implementations that are tested against them."""
