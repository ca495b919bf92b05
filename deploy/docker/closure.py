"""Which modules of ours a set of modules needs, found by reading what they import.

Standard library only: this runs inside the build, before anything is installed.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from deploy.docker.images import Image

GENERATED = "gen"


@dataclass(slots=True)
class Closure:
    """`modules` are ours, by name, with their files; `outside` the names of everything else that they import."""

    modules: dict[str, Path] = field(default_factory=dict)
    outside: set[str] = field(default_factory=set)


class Sources:
    """A source tree: our packages at its root, generated ones under `gen/`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._places = (root, root / GENERATED)
        self._tops = {path.name for place in self._places for path in place.iterdir() if path.is_dir()}
        # Images share most of their modules: each is looked for and read once.
        self._files: dict[str, Path | None] = {}
        self._imports: dict[str, frozenset[str]] = {}

    def file(self, module: str) -> Path | None:
        """The file of a module or a package; None where there is none, as for a namespace."""
        if module not in self._files:
            self._files[module] = self._found(module)
        return self._files[module]

    def imports(self, module: str, file: Path) -> frozenset[str]:
        """As `imports` finds them."""
        if module not in self._imports:
            self._imports[module] = frozenset(imports(file, module))
        return self._imports[module]

    def _found(self, module: str) -> Path | None:
        for place in self._places:
            base = place.joinpath(*module.split("."))
            for path in (base.with_suffix(".py"), base / "__init__.py"):
                if path.is_file():
                    return path
        return None

    def ours(self, module: str) -> bool:
        return module.split(".")[0] in self._tops

    def below(self, package: str) -> Iterator[str]:
        """The package and every module in it, at any depth."""
        yield package
        for place in self._places:
            folder = place.joinpath(*package.split("."))
            for path in sorted(folder.rglob("*.py")):
                parts = path.relative_to(place).with_suffix("").parts
                yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def closure(sources: Sources, image: Image) -> Closure:
    """Everything that an image's code imports, at any place but under `if TYPE_CHECKING`. Raises ValueError for a root
    that does not exist."""
    found = Closure()
    waiting = []
    for root in image.roots:
        listed = [name for name in sources.below(root) if not _within(name, image.without)]
        if not any(sources.file(name) for name in listed):
            raise ValueError(f"there is no module {root}")
        waiting += listed
    while waiting:
        module = waiting.pop()
        parent = module.rpartition(".")[0]
        file = sources.file(module)
        if module in found.modules or file is None:
            continue
        found.modules[module] = file
        if parent:
            waiting.append(parent)
        for name in sources.imports(module, file):
            if sources.ours(name):
                # A name imported from a package may be one of its modules; or the package itself is meant.
                waiting += [name, name.rpartition(".")[0] or name]
            else:
                found.outside.add(name)
    return found


def imports(file: Path, module: str) -> set[str]:
    """The dotted names that a module's import statements mention; what is imported from one stands behind it."""
    package = module if file.name == "__init__.py" else module.rpartition(".")[0]
    found: set[str] = set()
    waiting: list[ast.AST] = [ast.parse(file.read_bytes(), str(file))]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and _only_for_types(node.test):
            waiting += node.orelse
            continue
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                up = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*up, *([node.module] if node.module else [])])
            found.update(f"{base}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and _imports_by_name(node):
            found.add(str(ast.literal_eval(node.args[0])))
        waiting += ast.iter_child_nodes(node)
    return found


def _imports_by_name(call: ast.Call) -> bool:
    """`import_module("scipy.stats")`, or `load(…)`, the analysis engine's name for it."""
    name = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
    first = call.args[0] if call.args else None
    return name in ("import_module", "load") and isinstance(first, ast.Constant) and isinstance(first.value, str)


def _only_for_types(test: ast.expr) -> bool:
    return (isinstance(test, ast.Name) and test.id == "TYPE_CHECKING") or (
        isinstance(test, ast.Attribute) and test.attr == "TYPE_CHECKING"
    )


def _within(module: str, packages: Iterable[str]) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in packages)
