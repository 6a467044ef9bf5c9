"""Words that several workflows share."""

EXAMPLE = "ACE-Step example song.mp3"  # comes with the pack; put into input/ when it is asked for
# Known to the small model but for the voice, which it does not have.
STYLE = "folk, acoustic guitar, flute, shaker, medium tempo, 96 bpm"
TAGS = f"{STYLE}, male voice"
HOUSE = "house, synthesizer, synth bass, electronic drums, fast, 110 bpm"
WORDS = """[verse]
Morning comes in over the water
Light on the windows, light on the wall
I hear a train going out to the harbour
Calling a name that I used to call

[chorus]
Carry me, carry me over
Slow as the tide coming in
Carry me, carry me over
Back where the roads all begin"""
NEW_WORDS = WORDS.replace("out to the harbour", "over the mountain")
BLUE, GREEN, RED = "#3f789e", "#3f8a5a", "#a85c6b"  # of groups: words, music, what changes
