"""A plain sentence to tags and lyrics.

    from acestep_core.writer import write_song
    write_song("A cheerful pop song about summer memories.", seed=1).lyrics
"""
