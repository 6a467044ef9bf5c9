"""In front of the real one on PYTHONPATH: a torchaudio that does not import."""

raise ImportError("this torchaudio does not fit the torch that is installed")
