"""The library's settings."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network
from typing import Literal, Self

from pydantic import Field, model_validator
from pydantic_settings import SettingsConfigDict

from kit.blob_settings import BlobSettings
from kit.settings import ServiceSettings, name_of
from services.library.connectors.licences import OPEN

ConnectorName = Literal["openalex", "arxiv", "crossref", "europepmc"]


class LibrarySettings(BlobSettings, ServiceSettings):
    """Read from `PRSM_LIBRARY_*`."""

    model_config = SettingsConfigDict(env_prefix="PRSM_LIBRARY_", extra="ignore")

    collab_target: str = Field(description="host:port of the collab service")
    collab_deadline_seconds: float = Field(default=0.3, gt=0, description="deadline of an access check, in seconds")
    upload_mb: int = Field(default=50, ge=1, le=1024, description="largest body of an upload or a batch, and file")
    upload_files: int = Field(default=1000, ge=1, description="most files in one upload")
    upload_spool: str = Field(
        default="", description="folder for uploads under way; empty: the system's folder for temporary files"
    )
    upload_spool_mb: int = Field(
        default=6144, ge=1, description="disk that uploads under way may take; beyond it they are refused for a moment"
    )
    batch_lines: int = Field(default=20_000, ge=1, description="most documents in one batch")
    parser_processes: int = Field(default=2, ge=1, le=64, description="processes that read files")
    parse_seconds: float = Field(default=60.0, gt=0, description="longest reading of one file, in seconds")
    parse_memory_mb: int = Field(default=1024, ge=256, description="memory of a process that reads files")
    fetch: bool = Field(default=True, description="whether addresses are fetched that sessions are given as inputs")
    fetch_networks: list[IPv4Network | IPv6Network] = Field(
        default=[], description="networks that are fetched from beside public addresses, in CIDR notation"
    )
    fetch_ports: list[int] = Field(default=[80, 443], min_length=1, description="ports that are fetched from")
    fetch_seconds: float = Field(
        default=8.0,
        gt=0,
        description="longest fetching and reading of a session's addresses; less than session waits for its inputs",
    )
    fetch_mb: int = Field(default=25, ge=1, le=1024, description="most that is fetched for one session")
    fetch_addresses: int = Field(default=20, ge=0, description="most addresses that one session may be given")
    fetch_at_once: int = Field(default=8, ge=1, description="fetches of this process at a time")
    index_mb: int = Field(default=512, ge=16, description="memory for indexes of libraries")
    dense: bool = Field(
        default=False, description="whether an encoder's vectors join the search; its packages come with `make dense`"
    )
    text_cache_mb: int = Field(default=64, ge=0, description="memory for texts that searches quote from")
    snapshot_documents: int = Field(
        default=500, ge=1, description="changed documents after which a library's index is saved anew"
    )
    purge_days: int = Field(
        default=30, ge=1, description="days after which a deleted document that nothing cites is removed for good"
    )
    connectors: list[ConnectorName] = Field(
        default=[], description="services asked for works beside the library: openalex, arxiv, crossref, europepmc"
    )
    connector_urls: dict[ConnectorName, str] = Field(
        default={}, description="where a connector is asked instead of its own address, by its name"
    )
    connector_contact: str = Field(
        default="", description="e-mail address that connectors are told, which some give better service for"
    )
    connector_openalex_key: str = Field(default="", repr=False, description="API key for OpenAlex; empty for none")
    connector_intervals: dict[ConnectorName, float] = Field(
        default={}, description="seconds between two requests of a process, where not as the connector asks for"
    )
    connector_deadline_seconds: float = Field(
        default=30.0, gt=0, le=60, description="how long connectors are waited for, and again their full texts"
    )
    connector_request_seconds: float = Field(default=10.0, gt=0, description="longest single request to a connector")
    connector_answer_mb: int = Field(default=8, ge=1, le=64, description="largest answer of a connector")
    connector_cache_hours: float = Field(default=24.0, gt=0, description="how long an answer is good for")
    connector_full_texts: int = Field(
        default=8, ge=0, le=50, description="full texts fetched for one question of a session; 0 for abstracts alone"
    )
    connector_licences: list[str] = Field(
        default=list(OPEN), description="licences under which full texts are fetched, by their short names"
    )
    sweep_seconds: float = Field(default=3600.0, gt=0, description="how often old things are looked for")

    @model_validator(mode="after")
    def _knows_grants(self) -> Self:
        if self.internal_tokens and not self.grant_jwks:
            raise ValueError(f"{name_of(self, 'grant_jwks')} must be set with {name_of(self, 'internal_tokens')}")
        return self
