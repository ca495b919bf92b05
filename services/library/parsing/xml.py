"""XML from strangers: no entity is expanded, no DTD loaded, no file or address opened, no giant tree built."""

from __future__ import annotations

import re
from html.entities import html5
from typing import Any

from lxml import etree

from services.library.errors import DocumentUnreadable, UnreadableCause

_NAMED = re.compile(rb"&(?!(?:amp|lt|gt|quot|apos);)([A-Za-z][A-Za-z0-9]{1,30});")


def read_xml(data: bytes) -> Any:
    """The root element. References to entities stay nodes of the tree; :func:`entity_text` reads them.

    Raises DocumentUnreadable (`corrupt`) when it is not well-formed, or nested or long beyond libxml2's bounds.
    """
    try:
        try:
            return etree.fromstring(data, _parser())
        except etree.XMLSyntaxError:
            # Names such as &nbsp; need a DTD to be well-formed; they are known without one.
            numbered = _NAMED.sub(_numbered, data)
            if numbered == data:
                raise
            return etree.fromstring(numbered, _parser())
    except (etree.XMLSyntaxError, ValueError) as error:
        raise DocumentUnreadable(UnreadableCause.CORRUPT, "It is not well-formed XML.") from error


def _parser() -> etree.XMLParser:
    return etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )


def _numbered(match: re.Match[bytes]) -> bytes:
    character = html5.get(f"{match[1].decode()};", "")
    return b"".join(b"&#%d;" % ord(each) for each in character) or match[0]


def entity_text(node: Any) -> str:
    """The character that a reference such as `&nbsp;` stands for; "" for names only the file's DTD knows."""
    return html5.get(f"{node.name};", "")


def local(node: Any) -> str:
    """An element's name without its namespace; "" for what is no element."""
    return node.tag.rpartition("}")[2] if isinstance(node.tag, str) else ""
