"""A run as a file: the record beside a song, the graph that repeats it, latents."""
