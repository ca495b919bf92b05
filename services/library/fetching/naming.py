"""What to call a file that was fetched."""

from __future__ import annotations

import warnings

from aiohttp.multipart import content_disposition_filename, parse_content_disposition
from yarl import URL

from services.library.streams import safe_filename


def filename_of(disposition: str, url: URL) -> str:
    """The name that `Content-Disposition` gives (RFC 6266, `filename*` before `filename`), else the last part of the
    URL's path, else its host; safe to store and show."""
    with warnings.catch_warnings():
        # Of a malformed header nothing is taken, and nothing said.
        warnings.simplefilter("ignore")
        _, parameters = parse_content_disposition(disposition or None)
        given = content_disposition_filename(parameters)
    return safe_filename(given or url.name or url.host or "")
