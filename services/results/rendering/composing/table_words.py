"""The fixed words of the analysis engine's tables, heads and captions, in the report's languages.

Only what stands where that engine puts its own words is one of them: a column of the data may have the same name, and
keeps it. What is not known here stays English, as sentences do.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from services.results.rendering.document import ResultDocument

_HEADS: dict[str, tuple[str, str, str]] = {
    "column": ("Spalte", "colonne", "columna"),
    "type": ("Typ", "type", "tipo"),
    "missing": ("fehlend", "manquantes", "ausentes"),
    "distinct": ("verschiedene", "distinctes", "distintos"),
    "remarks": ("Bemerkungen", "remarques", "observaciones"),
    "mean": ("Mittelwert", "moyenne", "media"),
    "median": ("Median", "médiane", "mediana"),
    "sd": ("SD", "écart-type", "DE"),
    "term": ("Term", "terme", "término"),
    "parameter": ("Parameter", "paramètre", "parámetro"),
    "estimate": ("Schätzwert", "estimation", "estimación"),
    "std. error": ("Standardfehler", "erreur type", "error típico"),
    "odds ratio": ("Odds-Ratio", "rapport de cotes", "razón de momios"),
    "rate ratio": ("Ratenverhältnis", "rapport de taux", "razón de tasas"),
    "95 % low": ("95 % unten", "95 % inf.", "95 % inf."),
    "95 % high": ("95 % oben", "95 % sup.", "95 % sup."),
    "p of ρ (Holm)": ("p von ρ (Holm)", "p de ρ (Holm)", "p de ρ (Holm)"),
    "partial r": ("partielles r", "r partiel", "r parcial"),
    "p of partial r (Holm)": ("p des partiellen r (Holm)", "p du r partiel (Holm)", "p del r parcial (Holm)"),
    "source": ("Quelle", "source", "fuente"),
    "sum of squares": ("Quadratsumme", "somme des carrés", "suma de cuadrados"),
    "mean square": ("mittleres Quadrat", "carré moyen", "cuadrado medio"),
    "skewness": ("Schiefe", "asymétrie", "asimetría"),
    "excess kurtosis": ("Exzess", "excès d’aplatissement", "exceso de curtosis"),
    "p of normality (Holm)": ("p der Normalität (Holm)", "p de normalité (Holm)", "p de normalidad (Holm)"),
    "best description": ("beste Beschreibung", "meilleure description", "mejor descripción"),
    "p of its fit": ("p ihrer Anpassung", "p de son ajustement", "p de su ajuste"),
    "row": ("Zeile", "ligne", "fila"),
    "rows": ("Zeilen", "lignes", "filas"),
    "label": ("Bezeichnung", "libellé", "etiqueta"),
    "value": ("Wert", "valeur", "valor"),
    "typical": ("üblich", "habituel", "habitual"),
    "found by": ("gefunden mit", "trouvé par", "hallado por"),
    "score": ("Maß", "score", "puntuación"),
    "p (adjusted)": ("p (adjustiert)", "p (ajusté)", "p (ajustado)"),
    "p (unadjusted)": ("p (unadjustiert)", "p (non ajusté)", "p (sin ajustar)"),
    "robust z": ("robustes z", "z robuste", "z robusto"),
    "hypothesis": ("Hypothese", "hypothèse", "hipótesis"),
    "test": ("Test", "test", "prueba"),
    "effect": ("Effekt", "effet", "efecto"),
    "size": ("Größe", "taille", "tamaño"),
    "verdict": ("Ergebnis", "verdict", "veredicto"),
    "cluster": ("Cluster", "classe", "conglomerado"),
    "stability": ("Stabilität", "stabilité", "estabilidad"),
    "silhouette": ("Silhouette", "silhouette", "silueta"),
    "model": ("Modell", "modèle", "modelo"),
    "parameters": ("Parameter", "paramètres", "parámetros"),
    "compared with": ("verglichen mit", "comparé à", "comparado con"),
}
_FIXED: Mapping[str, slice] = {
    "profile": slice(None),
    "describe": slice(None),
    "correlation": slice(None),
    "distribution": slice(None),
    "outliers": slice(None),
    "regression": slice(None),
    "curve_fit": slice(None),
    "anova": slice(None),
    "hypotheses": slice(None),
    "one_sample": slice(None),
    "anomalies": slice(None),
    "compare_models": slice(None),
    "trend": slice(None),
    "compare_groups": slice(1, None),
    "cluster": slice(0, 4),
    "pca": slice(0, 1),
}
"""Which columns of a task's table are headed by the engine; the others by names and levels of the data."""

_CAPTIONS: Sequence[tuple[re.Pattern[str], tuple[str, str, str]]] = tuple(
    (re.compile(pattern), forms)
    for pattern, forms in (
        ("Columns", ("Spalten", "Colonnes", "Columnas")),
        (
            "Descriptive statistics",
            ("Beschreibende Statistik", "Statistiques descriptives", "Estadística descriptiva"),
        ),
        ("Correlations", ("Korrelationen", "Corrélations", "Correlaciones")),
        (
            r"Correlations: the (?P<some>\d+) strongest of (?P<all>\d+) pairs",
            (
                "Korrelationen: die {some} stärksten von {all} Paaren",
                "Corrélations\u00a0: les {some} plus fortes de {all} paires",
                "Correlaciones: las {some} más fuertes de {all} pares",
            ),
        ),
        (
            "Shape of the distributions",
            ("Form der Verteilungen", "Forme des distributions", "Forma de las distribuciones"),
        ),
        (
            "Values far from the others",
            ("Werte fern der übrigen", "Valeurs éloignées des autres", "Valores alejados de los demás"),
        ),
        (
            r"Values far from the others: the first (?P<some>\d+) of (?P<all>\d+)",
            (
                "Werte fern der übrigen: die ersten {some} von {all}",
                "Valeurs éloignées des autres\u00a0: les {some} premières de {all}",
                "Valores alejados de los demás: los primeros {some} de {all}",
            ),
        ),
        ("Hypotheses", ("Hypothesen", "Hypothèses", "Hipótesis")),
        (
            "Least-squares model (?P<of>.+)",
            (
                "Modell der kleinsten Quadrate {of}",
                "Modèle des moindres carrés {of}",
                "Modelo de mínimos cuadrados {of}",
            ),
        ),
        ("Logistic model (?P<of>.+)", ("Logistisches Modell {of}", "Modèle logistique {of}", "Modelo logístico {of}")),
        ("Poisson model (?P<of>.+)", ("Poisson-Modell {of}", "Modèle de Poisson {of}", "Modelo de Poisson {of}")),
        (
            "Analysis of variance of (?P<of>.+)",
            ("Varianzanalyse von {of}", "Analyse de variance de {of}", "Análisis de varianza de {of}"),
        ),
        ("Trend of (?P<of>.+)", ("Trend von {of}", "Tendance de {of}", "Tendencia de {of}")),
    )
)
_LANGUAGES = ("de", "fr", "es")
_INTERVAL = " (95 %)"
"""What a head has whose cells hold an interval as well."""


def kinds(document: ResultDocument) -> dict[str, str]:
    """The kind of the task that each table belongs to, by the table's id; none in another engine's result."""
    entries = document.blocks.get("analysis")
    found: dict[str, str] = {}
    for entry in entries if isinstance(entries, list) else []:
        kind, table = (entry.get("kind"), entry.get("table")) if isinstance(entry, Mapping) else (None, None)
        if isinstance(kind, str) and isinstance(table, str):
            found[table] = kind
    return found


def heads(columns: Sequence[str], kind: str | None, language: str) -> list[str]:
    """The heads of a task's table in the language of a BCP 47 tag."""
    place, fixed = _place(language), _FIXED.get(kind or "")
    if place is None or fixed is None:
        return list(columns)
    own = range(len(columns))[fixed]
    return [_head(name, place) if index in own else name for index, name in enumerate(columns)]


def caption(title: str, kind: str | None, language: str) -> str:
    """The caption of a task's table in the language of a BCP 47 tag."""
    place = _place(language)
    if place is None or kind not in _FIXED:
        return title
    for pattern, forms in _CAPTIONS:
        if found := pattern.fullmatch(title):
            return forms[place].format(**found.groupdict())
    return title


def _place(language: str) -> int | None:
    primary = language.lower().partition("-")[0]
    return _LANGUAGES.index(primary) if primary in _LANGUAGES else None


def _head(name: str, place: int) -> str:
    bare = name.removesuffix(_INTERVAL)
    known = _HEADS.get(bare)
    return name if known is None else known[place] + name[len(bare) :]
