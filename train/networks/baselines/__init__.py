"""What RWKV is compared with, in the forms that are trained."""
