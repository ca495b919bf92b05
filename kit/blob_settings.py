"""Where a service keeps its blobs, as settings."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

import structlog
from pydantic import Field, model_validator
from pydantic_settings import BaseSettings

from kit.blobs import CHECKED, Access, Blobs, StoreRefuses, cause_of, open_blobs
from kit.errors import Unavailable
from kit.settings import BadSettings, name_of

_OF_S3 = ("blobs_endpoint", "blobs_region", "blobs_key_id", "blobs_secret")
log = structlog.get_logger("blobs")


class BlobSettings(BaseSettings):
    """Of services that store bytes."""

    blobs: str = Field(description="a directory, or s3://bucket/prefix, gs://bucket/prefix, az://container/prefix")
    blobs_endpoint: str = Field(
        default="",
        description="URL of a store that speaks S3, where it is not Amazon's (MinIO, Ceph); http:// is without TLS",
    )
    blobs_region: str = Field(default="", description="its region; empty: AWS_REGION, else us-east-1")
    blobs_addressing: Literal["path", "host"] = Field(
        default="path", description="whether a bucket of S3 is named in the path or before the store's host"
    )
    blobs_key_id: str = Field(
        default="", description="access key of S3; empty: AWS_ACCESS_KEY_ID, else the role that the process has"
    )
    blobs_secret: str = Field(default="", repr=False, description="its secret; best by BLOBS_SECRET_FILE")
    blobs_ca: str = Field(
        default="", description="PEM file of authorities that the store's certificate may have besides the system's"
    )
    blobs_orphan_days: int = Field(
        default=30,
        ge=0,
        le=3650,
        description="days after which stored bytes that no row tells of are removed; 0 for never",
    )

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if bool(self.blobs_key_id) != bool(self.blobs_secret):
            raise ValueError(f"{name_of(self, 'blobs_key_id')} and {name_of(self, 'blobs_secret')} belong together")
        given = [name_of(self, field) for field in _OF_S3 if getattr(self, field)]
        if given and not self.blobs.startswith(("s3://", "s3a://")):
            raise ValueError(f"{', '.join(given)} can only be set where {name_of(self, 'blobs')} begins with s3://")
        if self.blobs_endpoint and not _is_host(self.blobs_endpoint):
            raise ValueError(f"{name_of(self, 'blobs_endpoint')} must be http:// or https:// and a host, and no more")
        return self


def _is_host(endpoint: str) -> bool:
    try:
        url = urlsplit(endpoint)
        port = url.port
    except ValueError:
        return False
    # No name and password either: it is told in logs.
    more = "@" in url.netloc or url.path.strip("/") or url.query or url.fragment
    return url.scheme in ("http", "https") and bool(url.hostname) and port != 0 and not more


def blobs_of(settings: BlobSettings, *, retries: int = 10) -> Blobs:
    """Open what the settings name; nothing is asked of a cloud yet. Raises BadSettings."""
    try:
        ca = Path(settings.blobs_ca).read_bytes() if settings.blobs_ca else b""
    except OSError as error:
        raise BadSettings(f"{name_of(settings, 'blobs_ca')}: {settings.blobs_ca}: {error.strerror}") from error
    access = Access(
        endpoint=settings.blobs_endpoint,
        region=settings.blobs_region,
        key_id=settings.blobs_key_id,
        secret=settings.blobs_secret,
        by_host=settings.blobs_addressing == "host",
        ca=ca,
    )
    try:
        return open_blobs(settings.blobs, access, retries=retries)
    except (ValueError, OSError) as error:
        raise BadSettings(f"{name_of(settings, 'blobs')}: {error}") from error


async def opened_blobs(settings: BlobSettings, *, within: float = CHECKED) -> Blobs:
    """Open what the settings name, and see whether it answers. One that cannot be reached may be there in a moment.
    Raises BadSettings where it refuses."""
    try:
        await blobs_of(settings, retries=2).check(within=within)
    except StoreRefuses as error:
        where = f"{settings.blobs} at {settings.blobs_endpoint}" if settings.blobs_endpoint else settings.blobs
        names = ", ".join(
            name_of(settings, field) for field in ("blobs_key_id", "blobs_secret", "blobs_region", "blobs_ca")
        )
        raise BadSettings(
            f"{name_of(settings, 'blobs')}: {where}: {error}; see {names}, or the cloud's own variables"
        ) from error
    except Unavailable as error:
        # Where none is given the machine is asked, which takes long where there is no role to be had.
        of_s3 = settings.blobs.startswith("s3")
        key = settings.blobs_key_id or os.environ.get("AWS_ACCESS_KEY_ID") or "none, asking for a role"
        log.warning(
            "the object store does not answer yet",
            blobs=settings.blobs,
            key=key if of_s3 else "as the cloud's variables say",
            cause=cause_of(error.__cause__ or error),
        )
    return blobs_of(settings)
