"""A root file system that stands in for the Python base image: this machine's Python at /usr/local, a shell and the few
programs that the build's steps call, and the system libraries that these need. Nothing else of the machine is in it, so
what an image needs beyond that shows itself.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Iterable
from pathlib import Path

PROGRAMS = ("sh", "cat", "chown", "dirname", "env", "find", "ls", "mkdir", "rm", "touch")
LIBRARIES = (
    "libstdc++.so.6",
    "libgcc_s.so.1",
    *("libpthread.so.0", "libdl.so.2", "librt.so.1", "libutil.so.1", "libm.so.6", "libresolv.so.2", "libnss_dns.so.2"),
)
"""The Debian that Python's images are made from has them; compiled wheels need them."""
_LINKED = re.compile(r"(?:=> )?(/\S+) \(0x")
_LEFT_OUT = shutil.ignore_patterns("site-packages", "test", "tests", "__pycache__", "idlelib", "tkinter", "*.a")
_FOLDERS = ("usr/bin", "usr/lib", "usr/lib64", "usr/local/bin", "etc", "dev", "proc", "run", "root", "var/tmp")


def make_base(root: Path) -> None:
    """Fill the empty folder `root`."""
    for folder in _FOLDERS:
        (root / folder).mkdir(parents=True)
    for name in ("bin", "lib", "lib64"):
        (root / name).symlink_to(f"usr/{name}")
    (root / "tmp").mkdir(mode=0o777)
    _put_python(root)
    programs = [_program(name) for name in PROGRAMS]
    for name, program in zip(PROGRAMS, programs, strict=True):
        shutil.copy(program, root / "usr/bin" / name)
    built = [path for path in (root / "usr/local").rglob("*.so*") if path.is_file() and not path.is_symlink()]
    for library in sorted(_needed([*programs, *built, Path(sys.executable).resolve()])):
        if not (root / "usr/local/lib" / library.name).exists():
            target = root / "usr" / library.relative_to("/").as_posix().removeprefix("usr/")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(library, target)
    _put_etc(root)
    subprocess.run(["/sbin/ldconfig", "-r", str(root)], check=True)


def _put_python(root: Path) -> None:
    home = Path(sys.base_prefix)
    version = f"python{sysconfig.get_python_version()}"
    library = root / "usr/local/lib" / version
    shutil.copytree(Path(sysconfig.get_path("stdlib")), library, ignore=_LEFT_OUT, symlinks=True)
    shared = home / "lib" / str(sysconfig.get_config_var("INSTSONAME"))
    if shared.suffix != ".a" and shared.is_file():
        shutil.copy(shared, root / "usr/local/lib")
    shutil.copy((home / "bin" / version).resolve(), root / "usr/local/bin" / version)
    for name in ("python", "python3"):
        (root / "usr/local/bin" / name).symlink_to(version)
    # pip comes from the interpreter's own bundle.
    for wheel in (Path(sysconfig.get_path("stdlib")) / "ensurepip" / "_bundled").glob("*.whl"):
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(library / "site-packages")


def _put_etc(root: Path) -> None:
    (root / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\n")
    (root / "etc/group").write_text("root:x:0:\n")
    (root / "etc/hosts").write_text("127.0.0.1 localhost\n")
    (root / "etc/nsswitch.conf").write_text("hosts: files dns\n")
    machine = Path(_program("sh")).resolve()
    folders = {str(library.parent) for library in _needed([machine])} | {"/usr/local/lib"}
    (root / "etc/ld.so.conf").write_text("".join(f"{folder}\n" for folder in sorted(folders)))
    certificates = Path("/etc/ssl/certs/ca-certificates.crt")
    if certificates.is_file():
        (root / "etc/ssl/certs").mkdir(parents=True)
        shutil.copy(certificates, root / "etc/ssl/certs")


def _program(name: str) -> Path:
    found = shutil.which(name, path="/usr/bin:/bin")
    if found is None:
        raise SystemExit(f"{name} is needed to stand in for the base image")
    return Path(found).resolve()


def _needed(files: Iterable[Path]) -> set[Path]:
    """The system libraries that the files are linked with, by the names that they ask for."""
    found: set[Path] = set()
    for file in files:
        done = subprocess.run(["ldd", str(file)], capture_output=True, text=True, check=False)
        found |= {Path(match[1]) for match in _LINKED.finditer(done.stdout)}
    listed = subprocess.run(["/sbin/ldconfig", "-p"], capture_output=True, text=True, check=True).stdout
    for name in LIBRARIES:
        match = re.search(rf"^\s*{re.escape(name)} .*=> (\S+)$", listed, flags=re.MULTILINE)
        if match:
            found.add(Path(match[1]))
    return {path for path in found if not path.is_relative_to(sys.base_prefix)}
