"""Copy the code of each image, and no more, into a folder of its own: `python -m deploy.docker.tree SOURCE TARGET`.

Standard library only: this runs inside the build, before anything is installed.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from deploy.docker.closure import Sources, closure
from deploy.docker.images import IMAGES, Image


def copy_image(sources: Sources, image: Image, target: Path) -> int:
    """Write an image's modules, and the data files of their packages; how many files."""
    files: dict[Path, Path] = {}
    folders: dict[Path, Path] = {}
    for module, file in closure(sources, image).modules.items():
        parts = module.split(".")
        place = Path(*parts, "__init__.py") if file.name == "__init__.py" else Path(*parts).with_suffix(".py")
        files[place] = file
        folders[place.parent] = file.parent
    # A package's data belongs to its modules: templates, scripts, pages.
    for place, folder in folders.items():
        for data in (path for path in folder.rglob("*") if _is_data(path, folder)):
            files[place / data.relative_to(folder)] = data
    files |= {Path(name): sources.root / name for name in image.files}
    for place, file in files.items():
        (target / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target / place)
    return len(files)


def _is_data(path: Path, folder: Path) -> bool:
    if not path.is_file() or path.suffix in (".py", ".pyi", ".pyc"):
        return False
    between = [parent for parent in path.parents if folder in parent.parents]
    return not any((parent / "__init__.py").exists() or parent.name == "__pycache__" for parent in between)


def main() -> None:
    root, target = Path(sys.argv[1]), Path(sys.argv[2])
    sources = Sources(root)
    for name, image in IMAGES.items():
        count = copy_image(sources, image, target / name)
        sys.stdout.write(f"{name}: {count} files\n")


if __name__ == "__main__":
    main()
