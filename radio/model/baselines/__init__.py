"""What RWKV is compared with: sizes and plain numpy engines."""
