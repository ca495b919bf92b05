"""Reading the Dockerfile: its stages and their instructions, as far as this project uses them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

KNOWN = frozenset(
    {
        *("FROM", "ARG", "ENV", "WORKDIR", "COPY", "RUN"),
        *("LABEL", "USER", "EXPOSE", "STOPSIGNAL", "HEALTHCHECK", "ENTRYPOINT"),
    }
)
_VARIABLE = re.compile(r"\$\{([A-Z_]+)\}")


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction with its arguments as they are written."""

    name: str
    text: str
    line: int

    def words(self) -> list[str]:
        """The arguments of the exec form, or the words of the other."""
        found: list[str] = json.loads(self.text) if self.text.startswith("[") else self.text.split()
        return found


@dataclass(slots=True)
class Stage:
    """A stage: what it starts from, and its instructions."""

    name: str
    base: str
    instructions: list[Instruction] = field(default_factory=list)

    def last(self, name: str) -> Instruction | None:
        """The last instruction of a name."""
        return next((i for i in reversed(self.instructions) if i.name == name), None)


@dataclass(slots=True)
class Dockerfile:
    """`arguments` are those before the first stage, with their defaults."""

    arguments: dict[str, str] = field(default_factory=dict)
    stages: dict[str, Stage] = field(default_factory=dict)

    def chain(self, name: str) -> list[Stage]:
        """A stage and those it starts from, itself first."""
        found = []
        while name in self.stages:
            found.append(self.stages[name])
            name = self.stages[name].base
        return found

    def effective(self, name: str, instruction: str) -> Instruction | None:
        """What is in force in a stage's image: its own or what it inherits."""
        return next((found for stage in self.chain(name) if (found := stage.last(instruction))), None)

    def environment(self, name: str) -> dict[str, str]:
        """The variables of a stage's image."""
        found: dict[str, str] = {}
        for stage in reversed(self.chain(name)):
            for instruction in stage.instructions:
                if instruction.name == "ENV":
                    found.update((key, value) for key, _, value in (p.partition("=") for p in instruction.words()))
        return found


def substitute(text: str, values: Mapping[str, str]) -> str:
    """Put arguments in; `${NAME}` alone is used here."""
    return _VARIABLE.sub(lambda match: values.get(match[1], match[0]), text)


def parse(path: Path) -> Dockerfile:
    """Raises ValueError for what this project does not use."""
    found = Dockerfile()
    stage: Stage | None = None
    for number, line in _lines(path.read_text()):
        name, _, rest = line.partition(" ")
        text = rest.strip()
        if name not in KNOWN:
            raise ValueError(f"{path.name}:{number}: {name} is not used here")
        if name == "FROM":
            base, keyword, stage_name = text.split()
            if keyword != "AS":
                raise ValueError(f"{path.name}:{number}: a stage needs a name")
            stage = Stage(stage_name, substitute(base, found.arguments))
            found.stages[stage_name] = stage
        elif stage is not None:
            stage.instructions.append(Instruction(name, text, number))
        elif name == "ARG":
            key, _, default = text.partition("=")
            found.arguments[key] = default
        else:
            raise ValueError(f"{path.name}:{number}: {name} before the first stage")
    return found


def _lines(text: str) -> list[tuple[int, str]]:
    found: list[tuple[int, str]] = []
    held = ""
    first = 0
    for number, line in enumerate(text.splitlines(), start=1):
        if line.lstrip().startswith("#") or not (line.strip() or held):
            continue
        first = first if held else number
        held += line.strip()
        if held.endswith("\\"):
            held = held[:-1]
            continue
        found.append((first, held))
        held = ""
    return found
