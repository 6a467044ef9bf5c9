"""Waveforms: files, loudness, mel, and the way to latents and back."""
