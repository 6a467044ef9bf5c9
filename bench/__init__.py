"""One file per thing measured, run as `python3 dev.py bench NAME`."""
