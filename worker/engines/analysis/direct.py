"""Direct questions: how many, the mean of, the share of, which group has most."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from worker.engines.analysis.mentions import Mention
from worker.engines.analysis.question import Ask
from worker.engines.analysis.table import NUMERIC, ColumnType
from worker.engines.analysis.unused import GENERIC
from worker.engines.analysis.vocabulary import NUMBER, alike, content, name_words, number_of

_STATISTICS = (
    ("median", r"medians?"),
    ("sd", r"standard deviations?|spread|variability"),
    ("sum", r"total|sum|altogether"),
    ("mean", r"mean|means|average|averages|typical"),
)
_HIGHEST = (
    r"(?:highest|largest|greatest|biggest|most|maximum|max|best|maximal|longest|oldest|tallest|heaviest|top|fastest|"
    r"widest|deepest|warmest|hottest|wealthiest|richest|rainiest|wettest|windiest|priciest)"
)
_LOWEST = (
    r"(?:lowest|smallest|least|fewest|minimum|min|worst|minimal|shortest|youngest|lightest|slowest|narrowest|coldest|"
    r"poorest|bottom|cheapest)"
)
_WHICH = re.compile(r"\b(?:which|what|who|where)\b")
_ASKS = re.compile(r"\b(?:which|what|who|where|when)\b")
_WHAT_IS = re.compile(r" what (?:is|are|was|were)\b")
_STEP = re.compile(r"^\w+ (?:change|jump|increase|decrease|drop|rise|fall|gap|growth)s? (?:in|of|between|from)\b")
_BY = re.compile(
    r"\b(?:by|per|(?:for|in|of|within|across) (?:each|every|the different|all)|each|across) (?:the )?"
    r"(?:(?:number|count|type|kind|class|level|category)s? of (?:the )?)?@(\d+)"
)
_DO = re.compile(
    r" (?!(?:is|are|was|were|exist|exists|occur|occurs|do|does|did|have|has|in|on|at|of|by|per|for|and|or)\b)\w"
)
_MISSING = re.compile(
    r"\b(?:missing|absent|unknown|blank|empty|not (?:available|given|known|recorded)|na|nas|null|nulls)\b"
)
_BEST_AT = re.compile(
    r"\b(?:best|most|worst|least) (?:\w+ly )?(?:predict|explain|associat|relat|correlat|important|influen)"
)
_SHARE_OF = re.compile(r"\b(?:share|percentage|percent|proportion|fraction|%) of (?:the |a |an |their |its )?@(\d+)")
_NAMES_OF_ROWS = re.compile(
    r"column_\d+|rows?|row ?names?|names?|labels?|models?|titles?|items?|entity|id", re.IGNORECASE
)
_SHARE = re.compile(r"\b(?:share|percentage|percent|proportion|fraction|rate)\b|%")
_BEFORE_PLACE = re.compile(r"\b(?:in|on|at|for|among|from|within|of)(?: the)?(?: @\d+)? $")
_SAID_OF = re.compile(r"\b(?:is|are|was|were|be|come|comes|came|live|lives|grow|grows) $")
_COUNT = re.compile(
    r"\bhow many\b|\bcount (?:of )?(?:the |all )?(?=#)|"
    r"\bnumber of (?=(?:rows|records|entries|observations|cases|#|different|distinct))"
)
_ROWS = re.compile(r"\b(?:rows|records|entries|observations|cases|lines|data points|samples|people|patients|items)\b")
_TAKING_PART = frozenset(
    ("surveyed", "included", "recorded", "measured", "listed", "studied", "participated", "participate", "took",
     "observed", "counted", "covered")
)  # fmt: skip
_BOUNDS = (
    (">=", r"at least|no less than|not below|from"),
    ("<=", r"at most|no more than|not above|up to"),
    (">", r"above|over|greater than|more than|larger than|higher than|exceeding|exceeds?|older than|beyond"),
    ("<", r"below|under|less than|smaller than|lower than|fewer than|younger than"),
)
_TYPICAL = re.compile(r"\b(?:what|how (?:high|large|big|long|old|tall|heavy|much))\b.*")


def direct(text: str, mentions: Sequence[Mention], types: Mapping[str, ColumnType]) -> dict[str, Any] | None:
    """Fields of a question that one number answers, or one number for each group; None for other questions.

    `text` has ``@0`` in the place of the first mention when it is a column, ``#0`` when it is a value.
    """
    if re.search(r"\b(?:differ|differs|difference|differences|significant\w*|correlat\w+|affects?|depends?)\b", text):
        return None
    reader = _Reader(text, mentions, types)
    return reader.count() or reader.share() or reader.extreme() or reader.statistic()


class _Reader:
    def __init__(self, text: str, mentions: Sequence[Mention], types: Mapping[str, ColumnType]) -> None:
        self.text = text
        self.mentions = mentions
        self.types = types

    def _numeric(self, mention: Mention) -> bool:
        return mention.level is None and self.types[mention.column] in NUMERIC

    def _found(self, statistic: str, response: str | None, **more: Any) -> dict[str, Any]:
        if "group" not in more and (match := _BY.search(self.text)):
            column = self.mentions[int(match[1])].column
            if column != response:
                more["group"] = column
        bound = self._bound()
        if response is None and bound is not None and statistic == "count":
            more.setdefault("bound", bound)
        elif bound is not None and bound[0] != response:
            more["bound"] = bound
        return {"ask": Ask.AGGREGATE, "statistic": statistic, "response": response, **more}

    def _bound(self) -> tuple[str, str, float] | None:
        for sign, words in _BOUNDS:
            pattern = rf"@(\d+) (?:is |are |was |of |values? )?(?:{words}) ({NUMBER})"
            if (match := re.search(pattern, self.text)) is not None:
                mention = self.mentions[int(match[1])]
                if self._numeric(mention):
                    return mention.column, sign, number_of(match[2])
        return None

    def count(self) -> dict[str, Any] | None:
        match = _COUNT.search(self.text)
        if match is None:
            return None
        tail = self.text[match.end() :]
        if re.match(r" (?:columns|variables|fields)\b", tail):
            return {"ask": Ask.OVERVIEW}
        first = re.search(r"[@#](\d+)", tail)
        if _MISSING.search(tail) and first and self.mentions[int(first[1])].level is None:
            return self._found("missing", self.mentions[int(first[1])].column)
        lead = tail[: first.start()] if first else tail
        parts = name_words(self.mentions[int(first[1])].column) if first else ()
        unknown = tuple(
            word
            for word in content(lead.split())
            if not _ROWS.search(word) and word not in ("distinct", "unique") and not any(alike(word, p) for p in parts)
        )
        if first is None:
            told = tuple(word for word in unknown if word not in GENERIC and word not in _TAKING_PART)
            return self._found("count", None, unknown=told if _ROWS.search(tail) else unknown)
        mention = self.mentions[int(first[1])]
        if mention.level is not None or _ROWS.search(lead) or self._bound() is not None:
            return self._found("count", None, **self._all_levels())
        if re.search(r"\b(?:each|every|per|by)\b", lead):
            return self._found("count", None, group=mention.column)
        if self.types[mention.column] is ColumnType.BOOLEAN:
            return self._found("count", mention.column, **self._all_levels())
        different = re.search(r"\b(?:distinct|different|unique)\b", lead)
        if not different and any(m.level is not None and m.column == mention.column for m in self.mentions):
            return self._found("count", None, **self._all_levels())  # "how many cows have breed Angus"
        if self.types[mention.column] is ColumnType.TEXT and not different:
            return self._found("count", None)  # names of the rows: "how many plants ..."
        if self._numeric(mention) and not different and self._level(mention) == "0":
            return self._found("count", None, **self._all_levels())
        if self._numeric(mention) and not different and self._word() in ("mean", "median"):
            return self.statistic()
        if self._numeric(mention) and not different:
            limits = {"levels": tuple(item for item in self._all_levels()["levels"] if item[0] != mention.column)}
            return self._found("sum", mention.column, **limits) if not unknown else None
        if (
            unknown
            and not different
            and self.types[mention.column] is ColumnType.CATEGORY
            and _DO.match(tail[first.end() :])
        ):
            return self._found("count", None, group=mention.column)  # "how many students smoke often"
        return self._found("distinct", mention.column)

    def _all_levels(self) -> dict[str, Any]:
        """The values that are named, and those of columns of truth values (0 and 1 among them) that are named."""
        by = _BY.search(self.text)
        grouped = self.mentions[int(by[1])].column if by else None
        flags = (ColumnType.BOOLEAN, ColumnType.INTEGER)
        told = [
            m for m in self.mentions if m.column != grouped and (m.level is not None or self.types[m.column] in flags)
        ]
        return {"levels": tuple(dict.fromkeys((m.column, self._level(m)) for m in told))}

    def share(self) -> dict[str, Any] | None:
        if not _SHARE.search(self.text) or not self.mentions:
            return None
        if (bound := self._bound()) is not None:
            found = {"ask": Ask.AGGREGATE, "statistic": "share", "response": None, "bound": bound}
            of = self.mentions[0]  # "what share of women have a fare above 15" is said beside that of the others
            limits = of.level is not None or self.types[of.column] in (ColumnType.BOOLEAN, ColumnType.INTEGER)
            return found | ({"group": of.column} if limits and of.column != bound[0] else {})
        levels = [m for m in self.mentions if m.level is not None]
        flags = [m for m in self.mentions if m.level is None and self.types[m.column] is ColumnType.BOOLEAN]
        whole = [m for m in self.mentions if m.level is None and self.types[m.column] is ColumnType.INTEGER]
        by = _BY.search(self.text)
        grouped = self.mentions[int(by[1])].column if by else None
        if not levels and not flags and (ratio := self._ratio()):
            return ratio
        told = sorted((m for m in (*levels, *flags, *whole) if m.column != grouped), key=lambda m: m.start)
        most = re.search(rf"\b(?:{_HIGHEST}|{_LOWEST})\b", self.text)
        if most and whole == list(told) and _named_rate(self.text) and len(self.mentions) == 1:
            return None  # "the highest murder rate" of a column that holds it
        if flags and len(levels) > 1 and len({m.column for m in levels}) == 1:
            measured = ((flags[0].column, self._level(flags[0])),)
            return self._found("share", flags[0].column, levels=measured, group=levels[0].column)
        if told:
            return self._share_of(told) | (self._ahead(told) if most else {})
        others = [m for m in self.mentions if m.column != grouped and self.types[m.column] is ColumnType.CATEGORY]
        return self._found("share", others[0].column) if others and not _named_rate(self.text) else None

    def _ratio(self) -> dict[str, Any] | None:
        """What no column holds: how much of one column of numbers another one is."""
        match = _SHARE_OF.search(self.text)
        whole = self.mentions[int(match[1])] if match else None
        if whole is None or not self._numeric(whole):
            return None
        parts = [m.column for m in self.mentions if self._numeric(m) and m.column != whole.column]
        words = (*parts[:1], "as", "a", "share", "of", whole.column)
        return {"ask": Ask.AGGREGATE, "statistic": "mean", "unknown": words} if parts else None

    def _share_of(self, told: Sequence[Mention]) -> dict[str, Any]:
        """What is said of the rows last is the share; what stands before it, or after *in* or *on*, are the rows."""
        measured = told[-1]
        if len({mention.column for mention in told}) > 1 and self._is_place(measured):
            measured = next(m for m in reversed(told) if m.column != measured.column)
        rows = [m for m in told if m.column != measured.column]
        levels = [(m.column, self._level(m)) for m in (measured, *rows)]
        return self._found("share", measured.column, levels=tuple(dict.fromkeys(levels)))

    def _ahead(self, told: Sequence[Mention]) -> dict[str, Any]:
        """``which @0 has the highest share of @1``: the group that is asked for."""
        asked = re.search(r"\b(?:which|what) @(\d+)", self.text)
        group = self.mentions[int(asked[1])].column if asked else None
        if group is None or any(mention.column == group for mention in told):
            return {}
        return {"group": group, "extreme": "max" if re.search(rf"\b{_HIGHEST}\b", self.text) else "min"}

    def _place(self, mention: Mention) -> str:
        return rf"[@#]{self.mentions.index(mention)}\b"

    def _is_place(self, mention: Mention) -> bool:
        """Whether it stands after *in* or *on* and is not said of the rows, as in *are on loam*."""
        before = re.split(self._place(mention), self.text, maxsplit=1)[0]
        found = _BEFORE_PLACE.search(before)
        return found is not None and _SAID_OF.search(before[: found.start()]) is None

    def _level(self, mention: Mention) -> str:
        """The value that is named; of a column that is true or false the one that is meant."""
        if mention.level is not None:
            return mention.level
        denied = re.search(rf"\b(?:not|\w+n t|never|without|no)(?: \w+)? {self._place(mention)}", self.text)
        if self.types[mention.column] is ColumnType.BOOLEAN:
            return "false" if denied else "true"
        return "0" if denied else "1"

    def extreme(self) -> dict[str, Any] | None:
        """``which @0 has the highest mean @1``, ``@0 with the lowest @1``, ``the most common @0``."""
        text = self.text
        high, low = re.search(rf"\b{_HIGHEST}\b", text), re.search(rf"\b{_LOWEST}\b", text)
        word = high or low
        if word is None:
            return self._superlative()
        if _BEST_AT.search(text):
            return None
        if step := _STEP.search(text[word.start() :]):
            return {"ask": Ask.AGGREGATE, "statistic": "max", "unknown": tuple(step[0].split()[:2])}
        way = "max" if high else "min"
        groups = self._groups()
        common = re.search(
            r"\b(?:most|least) (?:common|frequent|often|popular)\b|\bmost rows\b|\b(?:most|fewest) (?=[?.]? *$)", text
        )
        if common and groups:
            fewest = re.search("least|fewest", common[0]) is not None
            before = re.sub(r"[@#]\d+", "", text[: common.start()])
            unknown = tuple(content(before.split())) if common[0] in ("most ", "fewest ") else ()
            group, extreme = groups[0].column, "min" if fewest else "max"
            more = self._all_levels() | {"group": group, "extreme": extreme, "unknown": unknown}
            return self._found("count", None, **more)
        if common and self.mentions and common[0] not in ("most ", "fewest "):
            return {"ask": Ask.AGGREGATE, "statistic": "max", "unknown": tuple(common[0].split())}
        values = [m for m in self.mentions if self._numeric(m)]
        lead = text[: word.start()]
        labelled = groups or [m for m in values if f"@{self.mentions.index(m)} " in lead and len(values) > 1]
        which = _WHICH.search(lead) or re.search(r"\bwith (?:the )?(?:\w+ )?$", lead)
        by = _BY.search(text, word.end())
        if by and values and values[0].column != self.mentions[int(by[1])].column and _WHAT_IS.match(text):
            return self._found(way, values[0].column)
        if which and labelled and values and _MISSING.search(text[word.end() :]):
            return self._found("missing", values[0].column, group=labelled[0].column, extreme=way)
        if which and labelled:
            group = labelled[0].column
            rest = [m.column for m in values if m.column != group]
            if not rest:
                unknown = tuple(content(re.sub(r"[@#]\d+", "", text[word.end() :]).split()))
                return {"ask": Ask.AGGREGATE, "statistic": "mean", "group": group, "extreme": way, "unknown": unknown}
            counted = re.search(r"\b(?:most|fewest) @", text) and self.types[rest[0]] is ColumnType.INTEGER
            return self._found(self._word() or ("sum" if counted else "mean"), rest[0], group=group, extreme=way)
        if values and not which:
            return self._found(way, values[0].column)
        if values and _WHICH.search(lead) and (not content(lead.split()) or self._rows_are_named(lead)):
            return self._found(way, values[0].column)
        return None

    def _groups(self) -> list[Mention]:
        """Columns whose values may be compared; of ``at the #0 @1`` the value limits the rows."""
        named = [m.column for m in self.mentions if m.level is not None]
        return [m for m in self.mentions if not self._numeric(m) and m.level is None and named.count(m.column) != 1]

    def _rows_are_named(self, lead: str) -> bool:
        """Whether one unknown noun is asked for, and a column that says nothing of what it holds names the rows."""
        names = [n for n, type_ in self.types.items() if type_ is ColumnType.TEXT and _NAMES_OF_ROWS.fullmatch(n)]
        return bool(names) and len(content(lead.split())) == 1 and "@" not in lead and "#" not in lead

    def _superlative(self) -> dict[str, Any] | None:
        """``which @0 is the @1`` where the second mention was *heaviest* or the like; ``who was the @0``."""
        groups = self._groups()
        if asked := re.search(r"\b(?:which|what) @(\d+)", self.text):
            groups = [self.mentions[int(asked[1])], *groups]
        if not (groups or self.mentions) or not _ASKS.search(self.text):
            return None
        for mention in self.mentions:
            if groups and mention.column == groups[0].column:
                continue
            for way, words in (("max", _HIGHEST), ("min", _LOWEST)):
                if self._numeric(mention) and re.search(rf"“[^”]*\b{words}\b", mention.read_as.lower()):
                    if not groups:
                        return self._found(way, mention.column)
                    return self._found("mean", mention.column, group=groups[0].column, extreme=way)
        return None

    def statistic(self) -> dict[str, Any] | None:
        """``what is the mean of @0``; for each group with ``by @1``."""
        statistic = self._word()
        if statistic is None or re.search(
            r"\b(?:compare|higher|lower|than|over time|change|changed|trend)\b", self.text
        ):
            return None
        if _SEVERAL.search(self.text):
            return None  # a description has them all
        values = [m.column for m in self.mentions if self._numeric(m)]
        match = re.search(_STATISTIC_WORDS, self.text)
        if not values:
            lead = content(re.sub(r"[@#]\d+", "", self.text[match.end() :]).split()) if match else []
            asked = _WHICH.search(self.text) and lead
            return {"ask": Ask.AGGREGATE, "statistic": statistic, "unknown": tuple(lead)} if asked else None
        return self._found(statistic, values[0])

    def _word(self) -> str | None:
        return next((name for name, words in _STATISTICS if re.search(rf"\b(?:{words})\b", self.text)), None)


_STATISTIC_WORDS = "|".join(rf"\b(?:{words})\b" for _, words in _STATISTICS)

_SEVERAL = re.compile(rf"(?:{_STATISTIC_WORDS})(?: ,)?(?: and)?(?: the)? (?:{_STATISTIC_WORDS})")


def _named_rate(text: str) -> bool:
    return re.search(r"\brate\b", text) is not None
