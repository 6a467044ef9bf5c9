"""Languages the model does not sing, and which of its seventeen is nearest.

    lines -> what they are more likely than one of the seventeen -> a note with the nearest

"Nearest" is by script and by how letters are read, so that most words come out as they should;
an accent remains. The choice is left to the user.
"""

from __future__ import annotations

import re

from .corrected import hints
from .fallbacks import Fallbacks
from .language import languages_of
from .languages import LANGUAGES

# code -> (name, nearest of the seventeen)
NEAREST = {
    "af": ("Afrikaans", "nl"),
    "an": ("Aragonese", "es"),
    "ast": ("Asturian", "es"),
    "az": ("Azerbaijani", "tr"),
    "be": ("Belarusian", "ru"),
    "bg": ("Bulgarian", "ru"),
    "bs": ("Bosnian", "cs"),
    "ca": ("Catalan", "es"),
    "da": ("Danish", "de"),
    "eo": ("Esperanto", "it"),
    "et": ("Estonian", "hu"),
    "eu": ("Basque", "es"),
    "fa": ("Persian", "ar"),
    "fi": ("Finnish", "hu"),
    "gl": ("Galician", "pt"),
    "hr": ("Croatian", "cs"),
    "id": ("Indonesian", "es"),
    "jv": ("Javanese", "es"),
    "kk": ("Kazakh", "ru"),
    "ky": ("Kyrgyz", "ru"),
    "la": ("Latin", "it"),
    "lb": ("Luxembourgish", "de"),
    "lt": ("Lithuanian", "pl"),
    "lv": ("Latvian", "cs"),
    "mk": ("Macedonian", "ru"),
    "mr": ("Marathi", "hi"),
    "ms": ("Malay", "es"),
    "mt": ("Maltese", "it"),
    "nb": ("Norwegian", "de"),
    "ne": ("Nepali", "hi"),
    "nn": ("Norwegian", "de"),
    "no": ("Norwegian", "de"),
    "oc": ("Occitan", "fr"),
    "ro": ("Romanian", "it"),
    "sk": ("Slovak", "cs"),
    "sl": ("Slovenian", "cs"),
    "sr": ("Serbian", "ru"),
    "sv": ("Swedish", "de"),
    "sw": ("Swahili", "es"),
    "tl": ("Tagalog", "es"),
    "uk": ("Ukrainian", "ru"),
    "ur": ("Urdu", "ar"),
}
# Scripts that no word of the vocabulary is written in: every letter is lost.
LOST_SCRIPTS = {
    "Greek": "[\u0370-\u03ff]",
    "Hebrew": "[\u0590-\u05ff]",
    "Bengali": "[\u0980-\u09ff]",
    "Punjabi": "[\u0a00-\u0a7f]",
    "Gujarati": "[\u0a80-\u0aff]",
    "Tamil": "[\u0b80-\u0bff]",
    "Telugu": "[\u0c00-\u0c7f]",
    "Kannada": "[\u0c80-\u0cff]",
    "Malayalam": "[\u0d00-\u0d7f]",
    "Thai": "[\u0e00-\u0e7f]",
    "Georgian": "[\u10a0-\u10ff]",
    "Armenian": "[\u0530-\u058f]",
}
COMMON_SHARE = 0.12  # of a text's words: with so many common ones of a language it is in that


def foreign_note(lines: list[str]) -> list[str]:
    """What to say of lines that are in none of the seventeen languages; mostly nothing."""
    words = [line for line in lines if line and not line.startswith("[")]
    notes = [
        f"{name} is not among the languages of the model, and its letters are unknown to it: write"
        " the words in Latin letters and choose the language that reads them best."
        for name, letters in LOST_SCRIPTS.items()
        if any(re.search(letters, line) for line in words)
    ]
    return notes or _latin_note(words)


def _latin_note(lines: list[str]) -> list[str]:
    text = " ".join(lines)
    found = re.findall(r"[^\W\d_]+", text.lower())
    most = max(sum(word in common for word in found) for common in hints().words.values())
    if len(found) < 3 or most > COMMON_SHARE * len(found):
        return []
    (code,) = languages_of([text], "original", Fallbacks())
    if code in LANGUAGES or code not in NEAREST:
        return []
    name, nearest = NEAREST[code]
    return [
        f"This looks like {name}, which is not among the languages of the model; it is read as"
        f" another. The nearest is {LANGUAGES[nearest].name}: choose {nearest} as the language,"
        f" or begin the lines with [{nearest}]."
    ]
