"""The preview as a piece of HTML for a node's panel.

    Preview -> one <section>, no script, no style sheet, every text escaped

Lyrics come from anywhere, so nothing of them reaches the page unescaped; what a character
means to a browser is decided by its escape alone.
"""

from __future__ import annotations

from html import escape

from .preview import LineNote, Preview

HEAD = "<tr><th>#</th><th>language</th><th>text</th><th>heard as</th><th>tokens</th><th></th></tr>"


def as_html(seen: Preview) -> str:
    rows = "".join(_row(line) for line in seen.lines)
    times = "".join(
        f"<li>{_safe(time.mark or '(no mark)')}: {time.lines} lines, about {time.seconds:.0f} s"
        " (estimate)</li>"
        for time in seen.sections
    )
    notes = "".join(f"<li>{_safe(note)}</li>" for note in seen.notes)
    total = (
        f"{seen.tokens} tokens of at most {seen.token_limit}; about {seen.seconds:.0f} s (estimate)"
    )
    return (
        f'<section class="acesuite-preview"><table>{HEAD}{rows}</table>'
        f"<ul>{times}</ul><p>{total}</p><ul>{notes}</ul></section>"
    )


def _row(line: LineNote) -> str:
    kind = "mark" if line.mark else "words" if line.text else "blank"
    if line.unknown_count or (line.mark and line.mark.suggestion):
        kind += " warn"
    return (
        f'<tr class="{kind}"><td>{line.number}</td><td>{_safe(line.language)}</td>'
        f"<td>{_safe(line.text)}</td><td>{_safe(line.normalised)}</td>"
        f"<td>{len(line.tokens)}</td><td>{_safe(_remark(line))}</td></tr>"
    )


def _remark(line: LineNote) -> str:
    parts: list[str] = []
    if line.unknown_count:
        parts.append(f"{line.unknown_count} unknown: {' '.join(line.unknown)}")
    if line.mark and line.mark.suggestion:
        parts.append(line.mark.suggestion)
    return "; ".join(parts)


def _safe(text: str) -> str:
    """Escaped for text and attributes; control characters would break the page's own."""
    return escape("".join(char if char.isprintable() else " " for char in text))
