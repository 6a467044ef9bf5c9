"""How the small demonstration checkpoint is made. Not part of the pack and imported by none of it."""
