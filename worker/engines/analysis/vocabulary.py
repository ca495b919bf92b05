"""Words of prompts: how they are parted, brought to a stem, and which of them mean the same."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_TOKEN = re.compile(r"(?<![^\W_])[-+−]?\d+(?:[.,]\d+)*(?![^\W_])|[^\W_]+|[,;.?!:]")
NUMBER = r"[-+−]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:[.,]\d+)?(?![\d.,]*\d)"
"""Pattern of a number that is said; ``01.05.2020`` is none."""
_THOUSANDS = re.compile(r"[-+−]?\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_UNIT = re.compile(r"[(\[][^)\]]*[)\]]\s*$")
_LONG_ENDINGS = ("ations", "ation", "ments", "ment", "ings", "ing")
_ENDINGS = (*_LONG_ENDINGS, "ers", "er", "ors", "or", "ed", "al", "es", "s", "e", "y")
_LEAST_STEM = 4

SAME = (
    ("weight", "wt", "mass", "heavy", "heavier", "heaviest", "weigh"),
    ("height", "ht", "tall", "taller", "tallest", "stature"),
    ("age", "aged", "old", "older", "oldest", "young", "younger", "youngest"),
    ("length", "long", "longer", "longest"),
    ("width", "wide", "wider", "widest"),
    ("depth", "deep", "deeper", "deepest"),
    ("speed", "fast", "faster", "fastest", "velocity", "mph", "kph", "kmh"),
    ("temperature", "temp", "warm", "warmer", "warmest", "hot", "hotter", "hottest", "cold", "colder", "coldest"),
    ("price", "cost", "expensive", "cheap", "cheaper", "cheapest", "priciest"),
    ("income", "salary", "wage", "earnings", "earn", "pay", "paid"),
    ("sales", "revenue", "turnover"),
    ("sex", "gender"),
    ("country", "nation"),
    ("rain", "rainfall", "precipitation", "rainy", "rainier", "rainiest", "wet", "wetter", "wettest"),
    ("harvest", "yield", "crop"),
    ("dose", "dosage"),
    ("children", "kids", "child"),
    ("house", "home", "dwelling"),
    ("car", "vehicle", "automobile"),
    ("error", "mistake", "fault"),
    ("grade", "mark", "score"),
    ("illness", "disease", "sick"),
    ("quantity", "amount"),
    ("wind", "windy", "windier", "windiest"),
    ("mileage", "mpg", "kmpl"),
    ("power", "horsepower", "hp", "kw", "watt"),
)
"""Words that may stand for each other in the name of a column."""

_COMMON = """
a about above across affect affected after against all also am among amount an and any are as ask associated at
average averages be because become been before being below best better between biggest both but by can case
cases cause causes certain change changed changes column columns common compare compared comparison correlate
correlated correlation could count counts data dataset depend depends describe description determine did differ
difference differences different distribution do does done drive each effect effects either else entries entry
equal estimate ever every explain factor factors far few figure find first fit for forecast from function
general get give go good group groups grow grown had has have having here high higher highest how if important
in increase increased influence influences into is it its kind kinds know largest last least less level levels
like likely line list look low lower lowest main make many matter max maximum may me mean means measure measured
measures median might min minimum model models more most much my name names near need new next no normal not
number numbers observation observations of on one only or other others our out outlier outliers over overall
overview part pattern patterns per percent percentage point points predict predicted prediction proportion rate
rates record records reduce related relation relationship result results right rise role row rows same sample
samples say second see seem set share should show shows significant significantly similar since size smallest so
some stand standard stands strong strongly such sum summarise summarize summary table tell test than that the
their them then there these they thing things this those time times to together total trend two type types
typical under understand unusual up us use used using usual value values variable variables variation vary very
was way we were what when where whether which while who whole why will with within without work worst would you
your zero
"""
COMMON = frozenset(_COMMON.split())
"""Words that ask; alone they never stand for a part of a column's name."""

_MEANS_SAME = {word: group for group, words in enumerate(SAME) for word in words}


@dataclass(frozen=True, slots=True)
class Word:
    """A word, number or punctuation mark of a prompt: in lower case, as written, and where."""

    text: str
    raw: str
    start: int
    end: int


def words_of(prompt: str) -> list[Word]:
    """The words in order, camelCase parted and joined words (``petal_width``, ``Petal-Length``) as several."""
    found = []
    for match in _TOKEN.finditer(prompt):
        place = match.start()
        for part in _CAMEL.split(match[0]):
            found.append(Word(part.lower(), part, place, place + len(part)))
            place += len(part)
    return found


def name_words(name: str) -> tuple[str, ...]:
    """The words of a column's name, without a unit in brackets at its end."""
    bare = _UNIT.sub("", name).strip() or name
    return tuple(word.text for word in words_of(bare) if word.text[0] not in ",;.?!:")


def stem(word: str) -> str:
    """The word without its ending, so that plural, verb and noun meet: *smoker*, *smoking*, *smokes* are ``smok``."""
    if word.endswith("ies") and len(word) > _LEAST_STEM:
        return word[:-3]
    for ending in _ENDINGS:
        if word.endswith(ending) and not word.endswith("ss") and len(word) - len(ending) >= _LEAST_STEM:
            return word[: -len(ending)]
    return word[:-1] if word.endswith("s") and not word.endswith("ss") and len(word) > 3 else word


def alike(said: str, named: str) -> bool:
    """The same word up to its ending."""
    return said == named or stem(said) == stem(named)


def same_meaning(said: str, named: str) -> bool:
    """Two words of one line of :data:`SAME`."""
    first = _MEANS_SAME.get(said, _MEANS_SAME.get(_singular(said), -1))
    return first >= 0 and first == _MEANS_SAME.get(named, _MEANS_SAME.get(_singular(named), -2))


def number_of(said: str) -> float:
    """The value of what :data:`NUMBER` matches: ``1,250.5`` has commas between thousands, ``12,5`` one for a point."""
    said = said.replace("−", "-")
    return float(said.replace(",", "") if _THOUSANDS.fullmatch(said) else said.replace(",", "."))


def _singular(word: str) -> str:
    return word[:-1] if word.endswith("s") else word


def abbreviates(short: str, said: str) -> bool:
    """Whether a name such as ``temp`` or ``qty`` stands for the word said: its beginning, or its letters in order with
    the first and the last one."""
    if not 3 <= len(short) <= len(said) - 3 or not short.isalpha() or short[0] != said[0]:
        return False
    if said.startswith(short):
        return True
    letters = iter(said)
    vowels = sum(letter in "aeiou" for letter in short)
    return vowels == 0 and short[-1] == said[-1] and all(letter in letters for letter in short)


def is_acronym(name: str, said: Sequence[str]) -> bool:
    """``gdp`` for *gross domestic product*."""
    return len(name) >= 3 and len(name) == len(said) and all(w.startswith(c) for c, w in zip(name, said, strict=True))


def content(words: Iterable[str]) -> list[str]:
    """Without the words that only ask."""
    return [word for word in words if word not in COMMON and any(c.isalpha() for c in word)]
