"""The terminal interface of `radio play`: the view and its keys, or plain lines."""
