"""What the tasks of an analysis are called in a report, in its languages."""

from __future__ import annotations

_KINDS: dict[str, tuple[str, str, str, str]] = {
    "aggregate": ("Figures of groups", "Kennzahlen von Gruppen", "Chiffres par groupe", "Cifras por grupo"),
    "anomalies": ("Unusual rows", "Auffällige Zeilen", "Lignes inhabituelles", "Filas inusuales"),
    "anova": ("Analysis of variance", "Varianzanalyse", "Analyse de variance", "Análisis de varianza"),
    "cluster": ("Clusters", "Cluster", "Classes", "Conglomerados"),
    "compare_groups": (
        "Comparison of groups",
        "Vergleich von Gruppen",
        "Comparaison de groupes",
        "Comparación de grupos",
    ),
    "compare_models": (
        "Comparison of models",
        "Vergleich von Modellen",
        "Comparaison de modèles",
        "Comparación de modelos",
    ),
    "contingency": ("Contingency table", "Kontingenztafel", "Tableau de contingence", "Tabla de contingencia"),
    "correlation": ("Correlations", "Korrelationen", "Corrélations", "Correlaciones"),
    "curve_fit": ("Fitted curve", "Angepasste Kurve", "Courbe ajustée", "Curva ajustada"),
    "describe": (
        "Descriptive statistics",
        "Beschreibende Statistik",
        "Statistiques descriptives",
        "Estadística descriptiva",
    ),
    "distribution": ("Distributions", "Verteilungen", "Distributions", "Distribuciones"),
    "hypotheses": ("Tests of hypotheses", "Hypothesentests", "Tests d’hypothèses", "Pruebas de hipótesis"),
    "one_sample": ("Test of a mean", "Test eines Mittelwerts", "Test d’une moyenne", "Prueba de una media"),
    "outliers": ("Outliers", "Ausreißer", "Valeurs aberrantes", "Valores atípicos"),
    "pca": ("Principal components", "Hauptkomponenten", "Composantes principales", "Componentes principales"),
    "profile": ("Profile of the data", "Profil der Daten", "Profil des données", "Perfil de los datos"),
    "regression": ("Regression", "Regression", "Régression", "Regresión"),
    "regression_binomial": (
        "Logistic regression",
        "Logistische Regression",
        "Régression logistique",
        "Regresión logística",
    ),
    "regression_gaussian": ("Linear regression", "Lineare Regression", "Régression linéaire", "Regresión lineal"),
    "regression_poisson": (
        "Poisson regression",
        "Poisson-Regression",
        "Régression de Poisson",
        "Regresión de Poisson",
    ),
    "trend": ("Trend", "Trend", "Tendance", "Tendencia"),
}


def task_labels(place: int) -> dict[str, str]:
    """The names in the language of that place (English, German, French, Spanish), keyed `task_KIND`."""
    return {f"task_{kind}": forms[place] for kind, forms in _KINDS.items()}
