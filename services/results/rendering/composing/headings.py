"""The headings that the product's own engines give their sections, in the report's languages.

Engines write English, and the document keeps what they wrote. A heading is no statement of theirs, but one of the
report's fixed words, and stands among others in the reader's language. A heading of another engine stays as it is.
"""

from __future__ import annotations

import re

from services.results.rendering.composing.block_labels import LANGUAGES

_HEADINGS: dict[str, tuple[str, str, str]] = {
    "Answer": ("Antwort", "Réponse", "Respuesta"),
    "Could not be verified": ("Nicht überprüfbar", "Non vérifié", "Sin verificar"),
    "Data quality": ("Datenqualität", "Qualité des données", "Calidad de los datos"),
    "Evidence": ("Belege", "Éléments de preuve", "Evidencias"),
    "Findings": ("Ergebnisse", "Constats", "Hallazgos"),
    "Further evidence": ("Weitere Belege", "Autres éléments de preuve", "Más evidencias"),
    "How this was made": ("Wie dies entstand", "Comment ce rapport a été établi", "Cómo se elaboró"),
    "Limits": ("Grenzen", "Limites", "Limitaciones"),
    "Main findings": ("Hauptergebnisse", "Résultats principaux", "Resultados principales"),
    "Methods": ("Methoden", "Méthodes", "Métodos"),
    "Nearest passages": ("Nächstliegende Stellen", "Passages les plus proches", "Pasajes más cercanos"),
    "The data": ("Die Daten", "Les données", "Los datos"),
    "What connects them": ("Was sie verbindet", "Ce qui les relie", "Lo que las une"),
    "What several sessions state": (
        "Was mehrere Sitzungen aussagen",
        "Ce que plusieurs sessions affirment",
        "Lo que afirman varias sesiones",
    ),
    "What these sources do not say": (
        "Was diese Quellen nicht sagen",
        "Ce que ces sources ne disent pas",
        "Lo que estas fuentes no dicen",
    ),
    "Where the sources disagree": (
        "Worin die Quellen uneins sind",
        "Où les sources divergent",
        "En qué discrepan las fuentes",
    ),
    "Where they contradict each other": (
        "Wo sie einander widersprechen",
        "Où elles se contredisent",
        "En qué se contradicen",
    ),
}
_THEME = re.compile(r"Theme: (?P<named>.+)")
_FROM = re.compile(r"From (?P<named>“.+”)")
_LEADS: tuple[tuple[re.Pattern[str], tuple[str, str, str]], ...] = (
    (_THEME, ("Thema: {named}", "Thème\u00a0: {named}", "Tema: {named}")),
    (_FROM, ("Aus {named}", "De {named}", "De {named}")),
)
_OF_DATASET = re.compile(r"(?P<dataset>.+): (?P<part>[a-z ]+)")
_LOWER = {heading.lower(): heading for heading in _HEADINGS}


def headed(heading: str, language: str) -> str:
    """The heading of an engine's section in the language of a BCP 47 tag; as it is where it is none of those known."""
    primary = language.lower().partition("-")[0]
    if primary not in LANGUAGES[1:]:
        return heading
    place = LANGUAGES.index(primary) - 1
    if (known := _HEADINGS.get(heading)) is not None:
        return known[place]
    for pattern, forms in _LEADS:
        if found := pattern.fullmatch(heading):
            return forms[place].format(named=found["named"])
    # Of several datasets each section names its own.
    if (found := _OF_DATASET.fullmatch(heading)) and found["part"] in _LOWER:
        colon = "\u00a0:" if primary == "fr" else ":"
        part = _HEADINGS[_LOWER[found["part"]]][place]
        return f"{found['dataset']}{colon} {part if primary == 'de' else part[:1].lower() + part[1:]}"
    return heading
