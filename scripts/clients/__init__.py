"""Other people's clients against this pack; `python -m scripts.clients` tells more."""
