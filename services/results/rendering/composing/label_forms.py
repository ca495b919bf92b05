"""The forms of a citation's label: raised, as some styles set it, and on the line."""

from __future__ import annotations

from services.results.rendering.composing.report import Inline, Inlines, Link, Ref, Styled, Text


def is_raised(label: Inlines) -> bool:
    """Whether the label is a superscript."""
    match label[:1]:
        case (Styled("super", _),):
            return True
        case (Styled(_, children) | Link(_, children) | Ref(_, children),):
            return is_raised(children)
        case _:
            return False


def on_the_line(label: Inlines) -> Inlines:
    """A raised number in brackets on the line, for places where there is no word for it to be raised at."""
    return (Text("["), *_lowered(label), Text("]")) if is_raised(label) else label


def _lowered(inlines: Inlines) -> Inlines:
    result: list[Inline] = []
    for part in inlines:
        match part:
            case Styled("super", children):
                result.extend(_lowered(children))
            case Ref(anchor, children):
                result.append(Ref(anchor, _lowered(children)))
            case _:
                result.append(part)
    return tuple(result)
