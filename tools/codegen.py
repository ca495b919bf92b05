"""Generate the code that the protos stand for, into `gen/` (never in git).

    python -m tools.codegen            # brings gen/ up to date; does nothing when it is

Two things come out: the pb2 tree with typed stubs under the namespace package `prsm` (and `buf.validate`, whose
descriptor comes from the protovalidate wheel), and `gen/descriptors.binpb`, the whole contract with its comments, from
which the gateway's messages and routes and Envoy's configuration are made.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROTO = ROOT / "proto"
GEN = ROOT / "gen"
VALIDATE = "buf/validate/validate.proto"


def sources() -> list[str]:
    """The proto files of the contract, relative to `proto/`, sorted."""
    return sorted(str(path.relative_to(PROTO)) for path in PROTO.rglob("*.proto"))


def _fingerprint() -> str:
    digest = hashlib.sha256(Path(__file__).read_bytes())
    for name in sources():
        digest.update(name.encode() + b"\0" + (PROTO / name).read_bytes())
    for package in ("grpcio-tools", "mypy-protobuf", "protovalidate"):
        digest.update(importlib.metadata.version(package).encode())
    return digest.hexdigest()


def write_validate_descriptor(target: Path) -> None:
    """Write validate.proto, which the wheel holds as a descriptor only, and its imports as a FileDescriptorSet."""
    from google.protobuf import descriptor_pb2, duration_pb2, field_mask_pb2, timestamp_pb2
    from protovalidate._gen.buf.validate import validate_pb

    files = descriptor_pb2.FileDescriptorSet()
    for descriptor in (
        descriptor_pb2.DESCRIPTOR,
        duration_pb2.DESCRIPTOR,
        field_mask_pb2.DESCRIPTOR,
        timestamp_pb2.DESCRIPTOR,
    ):
        descriptor.CopyToProto(files.file.add())
    files.file.add().ParseFromString(validate_pb.desc().proto.to_binary())
    target.write_bytes(files.SerializeToString())


def include_paths() -> list[str]:
    """The `-I` options for everything the protos import, but validate.proto."""
    import google.api.annotations_pb2
    import grpc_tools

    well_known = Path(str(grpc_tools.__file__)).parent / "_proto"
    googleapis = Path(str(google.api.annotations_pb2.__file__)).parent.parent.parent
    return [f"-I{PROTO}", f"-I{well_known}", f"-I{googleapis}"]


def protoc(*arguments: str) -> None:
    """Run the wheel's protoc with the plugins that lie beside this interpreter."""
    binaries = str(Path(sys.executable).parent)
    environment = {**os.environ, "PATH": binaries + os.pathsep + os.environ.get("PATH", "")}
    subprocess.run([sys.executable, "-m", "grpc_tools.protoc", *arguments], check=True, env=environment, timeout=300)


def generate(target: Path) -> None:
    """Write the whole generated tree into the empty folder `target`."""
    names = sources()
    target.mkdir()
    with tempfile.TemporaryDirectory() as scratch:
        validate = Path(scratch) / "validate.binpb"
        write_validate_descriptor(validate)
        given = [f"--descriptor_set_in={validate}", *include_paths()]
        protoc(*given, f"--python_out={target}", f"--mypy_out=quiet:{target}", *names, VALIDATE)
        services = [name for name in names if "\nservice " in (PROTO / name).read_text()]
        protoc(*given, f"--grpc_python_out={target}", f"--mypy_grpc_out=quiet:{target}", *services)
        whole = f"--descriptor_set_out={target / 'descriptors.binpb'}"
        protoc(*given, "--include_imports", "--include_source_info", whole, *names)


def main() -> None:
    """Regenerate `gen/` when a proto or a generator changed; the old tree is replaced whole."""
    stamp = GEN / ".stamp"
    fingerprint = _fingerprint()
    if stamp.exists() and stamp.read_text() == fingerprint:
        return
    fresh = ROOT / f"gen.{os.getpid()}"
    shutil.rmtree(fresh, ignore_errors=True)
    try:
        generate(fresh)
        (fresh / ".stamp").write_text(fingerprint)
        shutil.rmtree(GEN, ignore_errors=True)
        fresh.rename(GEN)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


if __name__ == "__main__":
    main()
