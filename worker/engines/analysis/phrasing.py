"""The grammar of questions: who is said to act on whom, and what is asked of it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from worker.engines.analysis.choosing import names_time
from worker.engines.analysis.direct import direct
from worker.engines.analysis.mentions import Mention
from worker.engines.analysis.phrases import (
    ANY_COLUMN,
    BEYOND,
    CAUSAL,
    DRIVERS,
    GREW,
    INTERACTION,
    KINDS_OF,
    MEANS,
    OF_LEVEL,
    OVERVIEW,
    RELATION,
    ROWS,
    SENTENCE,
    TREND,
    YES_OR_NO,
)
from worker.engines.analysis.question import Ask
from worker.engines.analysis.table import NUMERIC, ColumnType
from worker.engines.analysis.vocabulary import NUMBER, Word, content, number_of

_END = re.compile(r"[,;.?!:]")
_PLACE = re.compile(r"[@#]\d+(?:&[@#]\d+)*")
_JOINED = re.compile(r"([@#]\d+) (?:and|or|vs|versus|,|, and|, or)(?: the)? (?=[@#]\d+)")
_NOISE = re.compile(
    r"\b(?:the|a|an|its|their|our|my|this|these|mean|average|median|typical|values? of|levels? of|amounts? of|"
    r"column|columns|variable|variables|more|higher|lower|greater|less|total|each|every|both|different|group|groups)"
    r" (?=(?:of )?[@#])"
)

_FUTURE = re.compile(
    r"\b(?:will|forecasts?|going to be|in (?:the )?future|next (?:year|month|week|quarter|day|season|decade)|tomorrow|"
    r"coming (?:years?|months?|weeks?))\b"
)
_OVER_TIME = re.compile(
    r"\b(?:trends?|trending|over time|over the (?:years|months|days|weeks)|time series|through time|"
    r"(?:since|before|after|until) \d{4}|"
    r"season|seasons|seasonal|seasonality|seasonally|change points?|changepoints?|year over year|development over)\b"
)
_MOVING = re.compile(r"\b(?:rising|falling|growing|growth|shrinking|declining|increasing|decreasing)\b")
_HELD = re.compile(
    r"\b(?:adjust(?:ed|ing) for|controll?(?:ed|ing) for|correct(?:ed|ing) for|account(?:ed|ing) for|allowing for|"
    r"holding|given|regardless of|irrespective of|independent(?:ly)? of|keeping)\b"
)
_STOP = re.compile(r"[;.?!:]")
_CHANGED = re.compile(r"\b(?:chang|develop|evol|rise|rose|fall|fell|grow|grew|drop|mov)\w*\b")
_SEASONAL = re.compile(r"\b(?:season|seasons|seasonal|seasonality|seasonally|cyclic|cycle|periodic|time of year)\b")
_OUTLIERS = re.compile(
    r"\b(?:outliers?|outlying|anomal\w+|unusual\w*|odd|strange|suspicious|abnormal|extreme (?:values?|rows?|cases?)|"
    r"stick out)\b"
)
_CLUSTERS = re.compile(
    r"\b(?:clusters?|clustering|clustered|segments?|segmentation|typology|natural (?:groups|classes)|subgroups?|"
    r"(?:kinds|types|groups) of (?!.*differ)|group (?:similar|alike)|how many groups|fall into groups)\b"
)
_NATURAL = re.compile(
    r"\b(?:natural|distinct|similar|homogeneous) (?:groups|classes|types|kinds)\b|\bhow many groups\b"
)
_COMPONENTS = re.compile(r"\b(?:principal components?|pca|dimensions|dimensionality|redundant|redundancy)\b")
_DISTRIBUTION = re.compile(
    r"\b(?:normal|normality|normally|gaussian|distribution|distributed|skew|skewed|skewness|bell shaped|histogram)\b"
)
_MODEL = re.compile(
    r"\b(?:(?:which|what|best) models?|compare (?:\w+ )?models?|models? (?:is|are|fits?|predicts?) best|"
    r"how well (?:can|could|does|do)|cross validat\w+|predictive (?:power|accuracy))\b"
)
_ONE_SAMPLE = re.compile(
    r"@(\d+) (?:\w+ )?(?:different|differs?|equal|equals|deviates?|other|more|fewer|greater|larger|higher|less|lower|"
    rf"smaller|above|below|over|under|exceeds?|significantly)[a-z ]*? ?({NUMBER})"
)
_DEPENDS = re.compile(
    r"\b(?:depends?|depended|depending|dependent|based) (?:up)?on\b|\bas a function of\b|"
    r"\b(?:explained|affected|predicted|driven|influenced|determined|caused|impacted|shaped) by\b|"
    r"\b(?:vary|varies|varied|change|changes|changed|increase|increases|increased|decrease|decreases|decreased|rise|"
    r"rises|fall|falls|grow|grows|grew|decline|declines|respond|responds|scale|scales|go up|goes up|go down|goes down|"
    r"react|reacts|due)"
    r"(?: \w+ly)? (?:with|by|to|across|according to|when|as|for|at)\b"
)
_ACTS = re.compile(
    r"\b(?:affects?|affected|affecting|influences?|influencing|predicts?|explains?|determines?|drives?|causes?|impacts?|"
    r"leads? to|led to|results? in|contributes? to|matters? (?:to|for)|has an (?:effect|influence|impact) on|"
    r"have an (?:effect|influence|impact) on|makes? a difference (?:to|for|in))\b|"
    r"\b(?:changes?|raises?|lowers?|increases?|decreases?|reduces?|improves?|boosts?|helps?|makes?) (?=[@#])"
)
_EFFECT_OF = re.compile(r"\b(?:effects?|influence|impact|role|interactions?)(?: of| that| does)?\b")
_PREDICT = re.compile(r"\b(?:predict|predicting|forecast|model|explain|estimate|modelling|modeling|regress)\b")
_FROM = re.compile(r"\b(?:from|with|using|by|given|based on|on)\b")
_DIFFERENCE = re.compile(
    r"\b(?:differs?|differed|difference|differences|different|compare|compared|comparing|comparison|versus|vs|"
    r"better|worse|than)\b|\b(?:vary|varies|varied) (?:between|across|among|by|over)\b"
)
_SPLIT_BY = re.compile(r"\b(?:between|across|among|by|per|within|for|in|over|with|than)\b")
_MORE_OF = re.compile(r"\b(?:more|fewer) #\d+ than #\d+ [?.]? *$")
_HOW_MUCH = re.compile(r"\bhow (?:much|strong|strongly|large|big|far)\b|\bby how much\b")
_COMPARED_TO = re.compile(r"\b(?:higher|lower|larger|smaller|greater|bigger|taller|older|heavier|longer|more|less)\b")


class Phrasing:
    """One prompt with placeholders in the place of its mentions: ``does @0 depend on @1 ?``."""

    def __init__(
        self,
        words: Sequence[Word],
        mentions: Sequence[Mention],
        types: Mapping[str, ColumnType],
        *,
        dated: bool = False,
    ) -> None:
        """`dated` says that a time was named in the prompt, in words that are not in `words` any more."""
        self.dated = dated
        self.mentions = mentions
        self.types = types
        self.raw = f" {' '.join(word.text for word in words)} "
        by_start = {mention.start: (number, mention) for number, mention in enumerate(mentions)}
        parts: list[str] = []
        place = 0
        while place < len(words):
            if place in by_start:
                number, mention = by_start[place]
                parts.append(f"{'@' if mention.level is None else '#'}{number}")
                place = mention.end
            else:
                parts.append(words[place].text)
                place += 1
        self.full = MEANS.sub(" affect ", f" {' '.join(parts)} ")
        bare = self.full
        for _ in range(4):
            bare = _NOISE.sub("", bare)
        self.bare = bare
        for _ in range(8):
            self.bare = _JOINED.sub(r"\1&", self.bare)

    def read(self) -> dict[str, Any]:
        """Fields of :class:`Question`."""
        text = self.full
        beyond = BEYOND.search(text)
        found: dict[str, Any] = {
            "over_time": bool(_OVER_TIME.search(text) or (self._columns() < 2 and _MOVING.search(text)))
            or self._grew()
            or (self.dated and len(self.mentions) < 2 and bool(_CHANGED.search(text))),
            "seasonal": bool(_SEASONAL.search(text)),
            "causal": bool(CAUSAL.search(text)),
            "future": bool(_FUTURE.search(text)),
            "beyond": beyond[1] if beyond else None,
            "how_much": bool(_HOW_MUCH.search(text)),
            "hypotheses": bool(re.search(r"\bhypothes", text)),
            "trend": bool(TREND.search(text) or _MOVING.search(text) or GREW.search(text)),
            "interaction": bool(INTERACTION.search(text)),
            "overview": bool(OVERVIEW.search(text)),
            "rows": bool(ROWS.search(text)),
            "years": tuple(int(year) for year in re.findall(r" ((?:1[5-9]|2[01])\d\d)(?= )", text)),
        }
        control = self._control()
        asked = self._asked(found)
        if control and asked.get("ask") in (Ask.EFFECT, Ask.RELATION) and asked.get("response") not in control:
            return found | asked | {"control": control}
        return found | asked

    def _grew(self) -> bool:
        """Whether one column of data that hold a time is said to move, and nothing else to go with it."""
        timed = any(type_ is ColumnType.DATE or names_time(name) for name, type_ in self.types.items())
        return timed and self._columns() == 1 and GREW.search(self.full) is not None

    def _columns(self) -> int:
        """How many mentions are of a column; a value that is named may be the rows that are meant."""
        levels = {mention.column for mention in self.mentions if mention.level is not None}
        columns = {mention.column for mention in self.mentions if mention.level is None} - levels
        several = sum(mention.level is not None for mention in self.mentions) > 1
        return len(columns) + (len(levels) if several else 0)

    def _asked(self, found: Mapping[str, Any]) -> dict[str, Any]:
        text, bare = self.full, self.bare
        if match := _ONE_SAMPLE.search(bare):
            column = self.mentions[int(match[1])].column
            if (
                self.types[column] in NUMERIC
                and not re.search(r"\bhow (?:many|often)\b|^ (?:when|where|who)\b", text)
                and not _is_year(match[2])
            ):
                value = number_of(match[2])
                if not re.search(r"\b(?:which|rows?|records?|share|percent\w*|proportion|fraction|count)\b", text):
                    return {"ask": Ask.ONE_SAMPLE, "response": column, "value": value}
        grouped = _CLUSTERS.search(text) or _NATURAL.search(self.raw) or KINDS_OF.search(text)
        if grouped and not _DIFFERENCE.search(text):
            return {"ask": Ask.CLUSTERS}
        if _COMPONENTS.search(text):
            return {"ask": Ask.COMPONENTS}
        if _OUTLIERS.search(text):
            numeric = any(self.types[m.column] in NUMERIC for m in self.mentions)
            return {"ask": Ask.OUTLIERS} | ({"rows": True} if self.mentions and not numeric else {})
        if _MODEL.search(text) and self.mentions:
            return {"ask": Ask.MODEL, **self._predicted()}
        first = next(iter(SENTENCE.split(text, maxsplit=1)))
        # What the first of several sentences asks goes before what the others do.
        later = _SEASONAL.search(first) is not None and direct(first, self.mentions, self.types) is None
        if not later and (answer := direct(text, self.mentions, self.types)) is not None:
            return answer
        roles = self._roles()
        among_all = roles.get("ask") is Ask.RELATION and not self.mentions
        if DRIVERS.search(bare) and not roles.get("predictors") and not among_all:
            named = (
                roles.get("response") or self._last_numeric() or (self.mentions[-1].column if self.mentions else None)
            )
            return {"ask": Ask.DRIVERS, "response": named, "unknown": () if named else roles.get("unknown", ())}
        if _DISTRIBUTION.search(text) and len({m.column for m in self.mentions if m.level is None}) < 2:
            return {"ask": Ask.DISTRIBUTION}
        acted_on = roles.get("ask") is Ask.EFFECT and roles.get("unknown") and not _OVER_TIME.search(text)
        if (found["over_time"] and not acted_on) or (found["future"] and not roles.get("predictors")):
            return {"ask": Ask.TREND, "unknown": () if roles.get("response") or self.mentions else self._left_over()}
        return roles or self._by_mentions()

    def _control(self) -> tuple[str, ...]:
        """The columns to be held fixed."""
        match = _HELD.search(self.full)
        if match is None:
            return ()
        tail = _STOP.split(self.full[match.end() :])[0]
        places = re.findall(r"@(\d+)", tail)
        return tuple(dict.fromkeys(self.mentions[int(place)].column for place in places))

    # What stands before and after a verb

    def _before(self, place: int) -> tuple[list[Mention], list[str]]:
        """The mentions nearest before `place` in its clause, or the words that fit none."""
        clause = _END.split(self.bare[:place])[-1]
        places = list(_PLACE.finditer(clause))
        return (self._at(places[-1][0]), []) if places else ([], content(clause.split()))

    def _after(self, place: int) -> tuple[list[Mention], list[str]]:
        clause = _END.split(self.bare[place:])[0]
        places = list(_PLACE.finditer(clause))
        if places and places[0].start() <= 40:
            return self._at(places[0][0]), []
        return [], content(clause.split())

    def _at(self, token: str) -> list[Mention]:
        return [self.mentions[int(number)] for number in re.findall(r"\d+", token)]

    def _last_numeric(self) -> str | None:
        return next((m.column for m in reversed(self.mentions) if self.types[m.column] in NUMERIC), None)

    def _left_over(self) -> tuple[str, ...]:
        return tuple(content(_PLACE.sub("", self.bare).split()))

    def _predicted(self) -> dict[str, Any]:
        if (match := _PREDICT.search(self.bare)) is not None and (after := self._after(match.end())[0]):
            return {"response": after[0].column, "predictors": self._others(after[0].column)}
        return self._roles() | {"ask": Ask.MODEL}

    def _others(self, response: str, among: Sequence[Mention] | None = None) -> tuple[str, ...]:
        mentions = self.mentions if among is None else among
        return tuple(dict.fromkeys(m.column for m in mentions if m.column != response))

    # Who acts on whom

    def _roles(self) -> dict[str, Any]:
        bare = self.bare
        if match := _EFFECT_OF.search(bare):
            clause = bare[match.end() :]
            parts = re.split(r" (?:has |have |had )?on ", clause, maxsplit=1)
            if len(parts) == 2:
                cause = [m for token in _PLACE.findall(parts[0]) for m in self._at(token)]
                tail = _END.split(parts[1])[0]
                effect = _PLACE.search(tail)
                return self._effect(
                    (cause, content(parts[0].split()) if not cause else []),
                    (self._at(effect[0]), []) if effect else ([], content(tail.split())),
                )
        for match in _DEPENDS.finditer(bare):
            left, right = self._before(match.start()), self._after(match.end())
            if left[0] or right[0]:
                return self._effect(right, left)
        for match in _ACTS.finditer(bare):
            left, right = self._before(match.start()), self._after(match.end())
            if not left[0] and not left[1] and right[0] and _PREDICT.match(bare[match.start() :]):
                break
            if left[0] or right[0]:
                return self._effect(left, right)
        if (match := _PREDICT.search(bare)) and not self._before(match.start())[0]:
            target, _ = self._after(match.end())
            if target:
                response = target[0].column
                tail = bare[match.end() :]
                given = _FROM.search(tail)
                rest = self._after(match.end() + given.end()) if given else ([], [])
                return self._effect((list(rest[0]), rest[1]), (target[:1], []), ask=Ask.EFFECT, named=response)
        compared = _COMPARED_TO.search(self.full) is not None and any(m.level for m in self.mentions)
        if (_DIFFERENCE.search(bare) or compared) and (found := self._difference()) is not None:
            return found
        if RELATION.search(bare):
            return self._related()
        return {}

    def _effect(
        self,
        cause: tuple[list[Mention], list[str]],
        effect: tuple[list[Mention], list[str]],
        ask: Ask = Ask.EFFECT,
        named: str | None = None,
    ) -> dict[str, Any]:
        causes, effects = cause[0], effect[0]
        response = named or (self._numeric_first(effects) if effects else None)
        predictors = self._others(response or "", causes) if causes else ()
        if response is not None and not predictors and not cause[1]:
            return {"ask": Ask.DRIVERS if ask is Ask.EFFECT else ask, "response": response}
        # One column said to act on several: each of them is asked about, the first one first.
        unknown = (*cause[1], *([] if response else effect[1]))
        if response is not None and predictors and not cause[1]:
            predictors = (*predictors, *(p for p in self._more(response) if p not in predictors))
        return {"ask": ask, "response": response, "predictors": predictors, "unknown": tuple(unknown)}

    def _more(self, response: str) -> tuple[str, ...]:
        """Further columns that a second clause names."""
        return self._others(response)

    def _numeric_first(self, mentions: Sequence[Mention]) -> str:
        numeric = [m.column for m in mentions if self.types[m.column] in NUMERIC]
        return numeric[0] if numeric else mentions[0].column

    def _difference(self) -> dict[str, Any] | None:
        columns = list(dict.fromkeys(m.column for m in self.mentions))
        if not columns:
            return None
        groups = [c for c in columns if self.types[c] not in NUMERIC and self.types[c] is not ColumnType.DATE]
        groups = [m.column for m in self.mentions if m.level is not None] or groups
        numeric = [c for c in columns if self.types[c] in NUMERIC]
        if groups:
            group, rest = groups[0], [c for c in columns if c != groups[0]]
            response = next((c for c in rest if c in numeric), next(iter(rest), None))
            if response is None and _MORE_OF.search(self.full):
                return {"ask": Ask.AGGREGATE, "statistic": "count", "response": None, "group": group}
            unknown: tuple[str, ...] = ()
            if response is None and re.search(r"\b(?:differ|differs|different|difference|than)\b", self.bare):
                unknown = self._left_over()
            return {"ask": Ask.DIFFERENCE, "response": response, "group": group, "unknown": unknown}
        if len(numeric) > 1 and (split := _SPLIT_BY.search(self.bare)):
            after = self._after(split.end())[0]
            before = self._before(split.start())[0]
            if before and after:
                return {"ask": Ask.DIFFERENCE, "response": before[0].column, "group": after[0].column}
        if len(numeric) == 1 and re.search(r"\b(?:between|across|among)\b", self.bare):
            match = re.search(r"\b(?:between|across|among)\b", self.bare)
            missing = tuple(self._after(match.end())[1]) if match else ()
            return {"ask": Ask.DIFFERENCE, "response": numeric[0], "unknown": missing}
        return (
            {"ask": Ask.RELATION, "response": numeric[0], "predictors": tuple(columns[1:])}
            if len(columns) > 1
            else None
        )

    def _related(self) -> dict[str, Any]:
        columns = list(dict.fromkeys(m.column for m in self.mentions))
        unknown: tuple[str, ...] = ()
        if len(columns) == 1 and re.search(r"\b(?:between|to|with|and)\b", self.bare):
            unknown = self._left_over()
            unknown = tuple(word for word in unknown if not RELATION.fullmatch(word))
            if not unknown:
                return {"ask": Ask.DRIVERS, "response": columns[0]}
        if not columns:
            # Of all columns with each other, unless it is about things that are none of them.
            named = [
                word for word in self._left_over() if not RELATION.fullmatch(word) and not ANY_COLUMN.fullmatch(word)
            ]
            return {"ask": Ask.RELATION, "unknown": () if OVERVIEW.search(self.full) else tuple(named)}
        response = next((c for c in columns if self.types[c] in NUMERIC), columns[0])
        others = tuple(c for c in columns if c != response)
        return {"ask": Ask.RELATION, "response": response, "predictors": others, "unknown": unknown}

    def _by_mentions(self) -> dict[str, Any]:
        """Without a word that tells: several columns are asked about together, one by itself."""
        columns = list(dict.fromkeys(m.column for m in self.mentions))
        if OVERVIEW.search(self.full) and len(columns) < 2:
            return {"ask": Ask.DESCRIBE if columns else Ask.OVERVIEW}
        if not columns:
            return {"ask": Ask.OVERVIEW, "unknown": self._left_over()}
        if len(columns) == 1:
            grouped = re.search(r"\b(?:by|per|each|across) (?:the )?@\d", self.full)
            unanswered = YES_OR_NO.search(self.full) or (grouped and self.types[columns[0]] not in NUMERIC)
            return {"ask": Ask.DESCRIBE, "unknown": self._left_over() if unanswered else ()}
        response = next((c for c in columns if self.types[c] in NUMERIC), columns[0])
        if len(columns) == 2 and OF_LEVEL.search(self.full):
            return {"ask": Ask.DESCRIBE, "response": response}
        others = tuple(c for c in columns if c != response)
        return {"ask": Ask.RELATION, "response": response, "predictors": others}


def _is_year(text: str) -> bool:
    return re.fullmatch(r"(?:1[5-9]|2[01])\d\d", text) is not None
