"""Graphs without a page: python -m scripts.headless."""
