"""Frames between the service and a parser process, both big-endian with lengths in bytes.

Request: lengths of header and file, a JSON header `{"filename", "content_type"}`, the file.
Answer: its length, then JSON: `{"document": …}`, or `{"cause", "detail", "raised"?}`.
"""

from __future__ import annotations

import struct

REQUEST = struct.Struct(">IQ")
ANSWER = struct.Struct(">Q")
