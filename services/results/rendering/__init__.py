"""Rendering of result documents as JSON, Markdown, PDF and DOCX.

`serializer` writes the JSON answers, `pool` renders everything else in child processes. The modules that load
rendering libraries (`render` and what lies behind it) belong in those processes only.
"""
