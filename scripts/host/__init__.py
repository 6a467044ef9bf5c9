"""A real ComfyUI and its page, for the tests that run in one and for the pictures of it."""
