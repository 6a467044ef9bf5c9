"""The REST face: its routes in ComfyUI's server, and the form they are read from."""
