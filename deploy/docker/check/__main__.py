"""Build every image's stages from the Dockerfile and run each process out of them, without a container engine.

    python -m deploy.docker.check [IMAGE...]      (make images-check)

Needs Linux, root, and mount, unshare, chroot, setpriv; says so and fails where something is missing. The Python base
image is stood in for by a tree made of this machine's own interpreter and its libraries (`check/base.py`); everything
above it is done by the Dockerfile's own instructions, in order. Distributions come through pip, checked by hash.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from deploy.docker.check.base import make_base
from deploy.docker.check.builder import Builder, StepFailed
from deploy.docker.check.container import data_folder, have, opened, size_of
from deploy.docker.check.trials import Failed, Trial, prepare
from deploy.docker.dockerfile import parse
from deploy.docker.images import IMAGES

ROOT = Path(__file__).resolve().parent.parent.parent.parent
FOLDER = ROOT / "deploy" / "docker"
INSIDE = "PRSM_IMAGES_CHECK_WHEELS"


def main(images: list[str]) -> int:
    """The exit status."""
    if unknown := sorted(set(images) - IMAGES.keys()):
        sys.exit(f"there is no image {unknown[0]}; there are {', '.join(IMAGES)}")
    wanted = images or list(IMAGES)
    if INSIDE in os.environ:
        return _inside(wanted, Path(os.environ[INSIDE]))
    if os.geteuid() != 0 or sys.platform != "linux":
        sys.exit("root on Linux is needed: the images' steps run in a root file system of their own")
    if missing := have("mount", "umount", "unshare", "chroot", "setpriv", "ip"):
        sys.exit(f"needed and not found: {', '.join(missing)} (util-linux, coreutils, iproute2)")
    wheels = ROOT / "build" / "wheels"
    _download(wheels, [*wanted, "tools", "build"])
    # Mounts, processes and ports of its own: whatever happens, nothing is left behind.
    alone = ["unshare", "--mount", "--pid", "--net", "--fork", "--kill-child", "--mount-proc"]
    command = [*alone, sys.executable, "-P", "-m", "deploy.docker.check", *wanted]
    environment = {**os.environ, INSIDE: str(wheels), "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, env=environment, cwd=ROOT, check=False).returncode


def _download(wheels: Path, locks: list[str]) -> None:
    wheels.mkdir(parents=True, exist_ok=True)
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    exact = ["--require-hashes", "--only-binary", ":all:", "--find-links", str(wheels), "--dest", str(wheels)]
    for name in dict.fromkeys(locks):
        lock = FOLDER / "locks" / f"{name}.lock"
        for place in (["--no-index"], []):  # What is here already need not be asked for.
            done = subprocess.run([*pip, *place, *exact, "-r", str(lock)], capture_output=True, text=True, check=False)
            if not done.returncode:
                break
        else:
            sys.exit(f"the distributions of {name} cannot be had: {done.stderr[-1000:]}")


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _inside(images: list[str], wheels: Path) -> int:
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    dockerfile = parse(FOLDER / "Dockerfile")
    folder = Path(tempfile.mkdtemp(prefix="prsm-images-"))
    try:
        base = folder / "base"
        make_base(base)
        builder = Builder(
            dockerfile, base=base, context=ROOT, work=folder / "stages", wheels=wheels, arguments={"VERSION": "check"}
        )
        data = data_folder(folder / "data")
        with opened(builder.build("tools"), dockerfile, "tools", {"/data": data}) as tools:
            prepare(tools)
        shared = {"/data": data, "/run/keys": data / "keys"}
        _say(f"{'image':10} {'code MB':>8} {'libs MB':>8} {'all MB':>8}  trial")
        for name in images:
            built = builder.build(name)
            with opened(built, dockerfile, name, shared) as container:
                said = Trial(name, container, folder / f"{name}.log").run()
            code, venv = (size_of(built.root / f"opt/prsm/{part}") / 1e6 for part in ("app", "venv"))
            _say(f"{name:10} {code:8.1f} {venv:8.1f} {code + venv:8.1f}  {said}")
    except (StepFailed, Failed) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    finally:
        subprocess.run(
            ["sh", "-c", 'umount --recursive --lazy "$0"/stages/*/root 2>/dev/null', str(folder)], check=False
        )
        shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
