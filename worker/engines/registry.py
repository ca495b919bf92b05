"""Which engines a worker offers, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from importlib.metadata import entry_points
from inspect import iscoroutinefunction

from worker.engines.base import Engine
from worker.engines.signal import CommandSource

Factory = Callable[[], Engine]
PLUG_INS = "prsm.engines"
"""The entry-point group of engines from other packages: each is called without arguments and gives an Engine."""
SESSION_TYPES = frozenset({"research", "analysis", "synthesis"})


class UnknownEngine(Exception):
    """A name that no engine has."""


class BadPlugIn(Exception):
    """A plug-in that cannot be loaded, or does not keep to the interface."""


def _research() -> Engine:
    from worker.engines.research.engine import ResearchEngine

    return ResearchEngine()


def _analysis() -> Engine:
    from worker.engines.analysis.engine import AnalysisEngine

    return AnalysisEngine()


def _synthesis() -> Engine:
    from worker.engines.synthesis.engine import SynthesisEngine

    return SynthesisEngine()


# Loaded on first use: the analysis engine's imports cost seconds of CPU that a research worker need not pay.
BUILT_IN: Mapping[str, Factory] = {
    "research": _research,
    "analysis": _analysis,
    "synthesis": _synthesis,
}


def _plug_in(name: str) -> Factory:
    def make() -> Engine:
        # One for each file that it is found in: the same package may be on the path twice.
        found = {entry.value: entry for entry in entry_points(group=PLUG_INS, name=name)}
        if len(found) != 1:
            raise BadPlugIn(f"more than one package offers the engine {name}: {', '.join(sorted(found))}")
        (entry,) = found.values()
        try:
            factory: Factory = entry.load()
            return checked(name, factory())
        except BadPlugIn:
            raise
        except Exception as error:
            raise BadPlugIn(f"the engine {name} ({entry.value}) cannot be loaded: {error!r}") from error

    return make


def checked(name: str, engine: Engine) -> Engine:
    """The engine, if it has what the interface asks for. Raises BadPlugIn."""
    faults = []
    if getattr(engine, "name", None) != name:
        faults.append(f"its name is {getattr(engine, 'name', None)!r}")
    types = getattr(engine, "session_types", None)
    if not isinstance(types, Set) or not types or not types <= SESSION_TYPES:
        faults.append(f"session_types is not a set of some of {', '.join(sorted(SESSION_TYPES))}")
    if not isinstance(getattr(engine, "pausable", None), bool):
        faults.append("pausable is not true or false")
    if not callable(getattr(engine, "stages", None)):
        faults.append("it has no stages()")
    if not iscoroutinefunction(getattr(engine, "run_stage", None)):
        faults.append("it has no async run_stage()")
    if faults:
        raise BadPlugIn(f"the engine {name} does not keep to the interface: {'; '.join(faults)}")
    return engine


class Registry:
    """The engines of one worker; each is made once, when it is first needed."""

    def __init__(self, factories: Mapping[str, Factory]) -> None:
        self._factories = factories
        self._engines: dict[str, Engine] = {}

    @classmethod
    def of(cls, names: Sequence[str] = (), *, signals: CommandSource | None = None) -> Registry:
        """The engines named, or all; built-in ones go before plug-ins of the same name. With `signals` the
        signal-driven one for tests is among them. Raises UnknownEngine."""
        known: dict[str, Factory] = {entry.name: _plug_in(entry.name) for entry in entry_points(group=PLUG_INS)}
        known.update(BUILT_IN)
        if signals is not None:
            known["signal"] = _signal(signals)
        unknown = sorted(set(names) - known.keys())
        if unknown:
            raise UnknownEngine(f"there is no engine {', '.join(unknown)}; there are {', '.join(sorted(known))}")
        return cls({name: known[name] for name in names} if names else known)

    @property
    def names(self) -> list[str]:
        return sorted(self._factories)

    def load(self, name: str) -> Engine:
        """May take seconds the first time. Raises UnknownEngine, BadPlugIn."""
        if name not in self._factories:
            raise UnknownEngine(name)
        if name not in self._engines:
            self._engines[name] = self._factories[name]()
        return self._engines[name]


def libraries_of(engine: Engine) -> tuple[str, ...]:
    """Modules that an engine's computing processes are to have loaded."""
    return (type(engine).__module__, *getattr(engine, "libraries", ()))


def _signal(signals: CommandSource) -> Factory:
    def make() -> Engine:
        from worker.engines.signal import SignalEngine

        return SignalEngine(signals)

    return make
