"""How the small demonstration checkpoint is made; the pack imports none of it."""
