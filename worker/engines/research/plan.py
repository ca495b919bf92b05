"""Stage *plan*: what the prompt asks for, taken from its own words."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace

from worker.engines.base import StageContext
from worker.engines.research.intent import HOW, asks_overview
from worker.engines.research.model import Facet, Json, Plan, Term, to_json
from worker.engines.research.parts import AGAINST, FOR, WEIGHS, parts_of
from worker.engines.research.settings import Settings
from worker.engines.text.identifiers import content_id
from worker.engines.text.sentences import split_sentences
from worker.engines.text.stopwords import GENERIC_WORDS, QUESTION_WORDS, WEAK_WORDS
from worker.engines.text.terms import Analyzer, fold, words
from worker.engines.text.wide import is_inflection, is_wide, told
from worker.engines.text.wording import capitalised, count, shortened

MAX_TERMS = 40
"""A prompt may be pages long; its most repeated terms are enough to search by."""
MAX_QUERY = 2000
"""Characters of a query."""
_SECOND_QUESTION = re.compile(
    r",?\s+(?:and|or)\s+(?=(?:what|how|why|which|who|whom|whose|when|where|whether)\b)"
    r"|,\s+(?:and|or)\s+(?=(?:does|do|did|is|are|was|were|can|could|should|will)\b)",
    re.IGNORECASE,
)
"""Where one sentence goes on to ask a second thing."""
WEAK_WEIGHT = 0.15
"""Weight of a word such as “results” or “effect” beside 1 for a word of the subject; its square root is used."""
_MAX_ASPECT_WORDS = 5
_MAX_WIDE = 16
"""Characters of a phrase in a script without spaces."""
_JOINING = frozenset({"and", "or"})


async def run(ctx: StageContext) -> Json:
    """Terms and facets of the prompt."""
    settings = Settings.of(ctx.job)
    plan = plan_of(ctx.job.prompt, settings)
    if plan.overview:
        ctx.decide(
            "plan",
            "The prompt asks what the documents say and names no subject, so it is answered by an overview: the "
            "statements that are most central to each document, without a search. "
            f"Depth {settings.depth.name}, at most {count(settings.max_documents, 'document')} read.",
            alternatives=["search the documents for the prompt's words"],
        )
        await ctx.step(1, 1)
        return {"plan": to_json(plan)}
    named = told(ctx.job.prompt, [term.word for term in plan.terms])
    ctx.decide(
        "plan",
        f"The prompt was read as {count(len(named) or len(plan.terms), 'term')} ("
        + (", ".join(named[:12]) or _one_line(ctx.job.prompt, 160))
        + f") and searched from {count(len(plan.facets), 'side')}: "
        + "; ".join(_told(facet) for facet in plan.facets)
        + f". Depth {settings.depth.name}, at most {count(settings.max_documents, 'document')} read.",
    )
    await ctx.step(1, 1)
    return {"plan": to_json(plan)}


def _blank(match: re.Match[str]) -> str:
    return " " * len(match.group())


def _told(facet: Facet) -> str:
    return f"“{facet.label}”" + ("" if facet.kind in ("prompt", "aspect", "topic") else f" ({facet.kind})")


def plan_of(prompt: str, settings: Settings) -> Plan:
    """The prompt's terms with their weights, and its facets: the whole prompt, then its sub-questions or, when it asks
    only one thing, the parts that its wording names and the phrases that name what is asked about. A prompt without a
    subject has no terms."""
    analyzer = Analyzer(settings.language)
    if asks_overview(prompt):
        return Plan((), (Facet(content_id("facet", "overview", prompt), "overview", _one_line(prompt, 160), "", ()),))
    # "How fast does it rise?" asks for a number; no answer need say "fast", nor "pros and cons".
    subject = WEIGHS.sub(_blank, HOW.sub(_blank, prompt))
    terms = _terms(subject, analyzer)
    stems = tuple(term.stem for term in terms)
    label = _one_line(prompt, 160)
    facets = [Facet(content_id("facet", "prompt", prompt), "prompt", label, prompt[:MAX_QUERY], stems)]
    sides = _questions(prompt, analyzer, stems)
    if not sides:
        named = _named_parts(prompt, analyzer, stems)
        taken = {facet.stems for facet in named}
        sides = named + [facet for facet in _aspects(prompt, subject, analyzer, stems) if facet.stems not in taken]
    facets.extend(sides[: settings.depth.facets - 1])
    return Plan(terms, tuple(facets))


def _terms(prompt: str, analyzer: Analyzer) -> tuple[Term, ...]:
    surfaces = [(stem, folded) for stem, folded, _ in analyzer.surfaces(prompt)]
    surfaces = surfaces or [(fold(word.text), fold(word.text)) for word in words(prompt)]
    # Hiragana are mostly endings and function words.
    surfaces = [pair for pair in surfaces if not is_inflection(pair[1])] or surfaces
    asked = [pair for pair in surfaces if pair[1] not in QUESTION_WORDS] or surfaces
    first: dict[str, str] = {}
    for stem, surface in asked:
        first.setdefault(stem, surface)
    counts = Counter(stem for stem, _ in asked)
    ranked = sorted(first, key=lambda stem: -counts[stem])  # stable: the prompt's order among equals
    kept = set(ranked[:MAX_TERMS])
    framing = _framing(prompt, analyzer)
    return tuple(
        Term(
            stem,
            first[stem],
            min(counts[stem], 3) * (WEAK_WEIGHT if first[stem] in WEAK_WORDS or stem in framing else 1.0),
        )
        for stem in first
        if stem in kept
    )


def _framing(prompt: str, analyzer: Analyzer) -> frozenset[str]:
    """Stems of words that only frame the question: those of phrases such as "key messages" that name no subject. In
    "message passing" the same word belongs to one."""
    generic = _generic(analyzer)
    subjects: set[str] = set()
    frames: set[str] = set()
    for phrase in phrases(prompt, analyzer):
        framing = generic.issuperset(fold(word.text) for word in words(phrase))
        (frames if framing else subjects).update(analyzer.terms(phrase))
    # Without any subject there is nothing to frame.
    return frozenset(frames - subjects) if subjects else frozenset()


def _generic(analyzer: Analyzer) -> frozenset[str]:
    return GENERIC_WORDS.get(analyzer.language, frozenset()) | WEAK_WORDS


def _questions(prompt: str, analyzer: Analyzer, stems: tuple[str, ...]) -> list[Facet]:
    sentences = [" ".join(prompt[part.start : part.end].split()) for part in split_sentences(prompt, pieces=False)]
    pieces = [capitalised(piece) for sentence in sentences for piece in _parted(sentence)]
    found: list[Facet] = []
    topic = ""
    for piece in pieces:
        own = _own_stems(piece, analyzer, stems)
        if not own:
            continue
        # A follow-up such as "How do they differ?" means nothing without the first question's words.
        query = piece if len(own) >= 3 or not topic else f"{piece} {topic}"
        topic = topic or piece
        found.append(Facet(content_id("facet", piece), "question", _one_line(piece, 160), query[:MAX_QUERY], own))
    distinct = {facet.stems: facet for facet in reversed(found)}
    kept = [facet for facet in found if distinct[facet.stems] is facet]
    return kept if len(kept) > 1 else []


def _parted(sentence: str) -> list[str]:
    """The questions that one sentence asks, each with the mark of the whole."""
    mark = "?" if sentence.endswith("?") else ""
    return [piece if piece.endswith(mark) else piece + mark for piece in _SECOND_QUESTION.split(sentence)]


def _aspects(prompt: str, subject: str, analyzer: Analyzer, stems: tuple[str, ...]) -> list[Facet]:
    found: dict[tuple[str, ...], Facet] = {}
    generic = _generic(analyzer)
    for phrase in phrases(subject, analyzer):
        own = _own_stems(phrase, analyzer, stems)
        if generic.issuperset(fold(word.text) for word in words(phrase)) or (len(phrase) == 1 and is_wide(phrase)):
            continue
        if own and own not in found and len(own) < len(stems):
            # The phrase twice and the prompt once: its own passages first, but those that speak to the prompt.
            query = f"{phrase} {phrase} {prompt}"[:MAX_QUERY]
            found[own] = Facet(content_id("facet", phrase.lower()), "aspect", phrase, query, own)
    if len(found) < 2:
        return []
    # "Sleep, exercise and diet" names subjects of which each may be answered by itself.
    rest = subject
    for facet in found.values():
        rest = rest.replace(facet.label, "", 1)
    topics = "," in subject and not [word for word in words(rest) if fold(word.text) not in _JOINING]
    return [replace(facet, kind="topic") for facet in found.values()] if topics else list(found.values())


def _named_parts(prompt: str, analyzer: Analyzer, stems: tuple[str, ...]) -> list[Facet]:
    """Facets of what the wording names: the sides of a comparison, cause, outcome and population, or both sides of a
    question for and against."""
    found: list[Facet] = []
    for part in parts_of(prompt):
        own = _own_stems(part.text, analyzer, stems)
        if not own or (part.role != "subject" and (len(own) == len(stems) or own in {facet.stems for facet in found})):
            continue
        if part.role == "subject":
            for kind, more in (("for", FOR), ("against", AGAINST)):
                label, query = f"{capitalised(kind)} {part.text}", f"{part.text} {more}"[:MAX_QUERY]
                found.append(Facet(content_id("facet", kind, part.text), kind, label, query, own))
        else:
            query = f"{part.text} {part.text} {prompt}"[:MAX_QUERY]
            found.append(Facet(content_id("facet", part.role, part.text), part.role, part.text, query, own))
    return found


def phrases(prompt: str, analyzer: Analyzer) -> list[str]:
    """Runs of content words between function words, question words and punctuation, as the prompt writes them."""
    runs: list[tuple[int, int, int]] = []
    for _, folded, word in analyzer.surfaces(prompt):
        if folded in QUESTION_WORDS:
            continue
        if runs and word.start <= runs[-1][1] and word.end - runs[-1][0] <= _MAX_WIDE:
            # Pairs of characters overlap, and endings follow without a space.
            runs[-1] = (runs[-1][0], max(runs[-1][1], word.end), runs[-1][2])
        elif runs and re.fullmatch(r"[\s\-–]+", prompt[runs[-1][1] : word.start]) and runs[-1][2] < _MAX_ASPECT_WORDS:
            runs[-1] = (runs[-1][0], word.end, runs[-1][2] + 1)
        else:
            runs.append((word.start, word.end, 1))
    return [" ".join(prompt[start:end].split()) for start, end, _ in runs]


def _own_stems(piece: str, analyzer: Analyzer, stems: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(stem for stem in analyzer.terms(piece) if stem in stems))


def _one_line(text: str, limit: int) -> str:
    return shortened(" ".join(text.split()), limit)
