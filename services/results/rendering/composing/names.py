"""Readable names of the fields that engines write."""

from __future__ import annotations

SYMBOLS = {
    "aic": "AIC",
    "aicc": "AICc",
    "anova": "ANOVA",
    "auc": "AUC",
    "bic": "BIC",
    "chi2": "χ²",
    "cramers_v": "Cramér’s V",
    "df": "df",
    "doi": "DOI",
    "eta_squared": "η²",
    "f": "F",
    "h": "H",
    "hedges_g": "Hedges’ g",
    "id": "ID",
    "iqr": "IQR",
    "k": "k",
    "n": "n",
    "omega_squared": "ω²",
    "p": "p",
    "pca": "PCA",
    "q": "q",
    "r": "r",
    "r_squared": "R²",
    "sd": "SD",
    "sha256": "SHA-256",
    "t": "t",
    "tau": "τ",
    "u": "U",
    "url": "URL",
    "vif": "VIF",
    "z": "z",
}
"""Written like this wherever they stand."""

NAMES = {
    "asked": "asked for",
    "adjusted_rand_resampled": "adjusted Rand index in resamples",
    "autocorrelation_lag1": "autocorrelation at lag 1",
    "bh": "Benjamini–Hochberg",
    "brown_forsythe": "Brown–Forsythe",
    "breusch_pagan_p": "Breusch–Pagan p",
    "ci_high": "upper limit",
    "ci_low": "lower limit",
    "cox_snell": "Cox and Snell",
    "cramers_v_corrected": "Cramér’s V, corrected",
    "df_between": "df between groups",
    "df_model": "df of the model",
    "df_residual": "df of the residuals",
    "df_within": "df within groups",
    "document_id": "document",
    "dunn": "Dunn",
    "durbin_watson": "Durbin–Watson",
    "finding_id": "finding",
    "event": "counted as event",
    "fisher": "Fisher’s exact test",
    "fisher_method": "Fisher’s exact test, p",
    "fisher_p": "Fisher’s exact p",
    "games_howell": "Games–Howell",
    "hamed_rao": "Mann–Kendall after Hamed and Rao",
    "holm": "Holm",
    "k_chosen_by": "k chosen by",
    "kmeans": "k-means",
    "kruskal_wallis": "Kruskal–Wallis",
    "mann_kendall": "Mann–Kendall",
    "mann_whitney": "Mann–Whitney",
    "mcfadden": "McFadden",
    "ms_between": "mean square between groups",
    "ms_within": "mean square within groups",
    "nagelkerke": "Nagelkerke",
    "p_adjusted": "adjusted p",
    "p_advised": "p of the advised test",
    "pearson": "Pearson",
    "pseudo_r_squared": "pseudo R²,",
    "r_squared_adjusted": "adjusted R²",
    "residual_autocorrelation_lag1": "autocorrelation of the residuals at lag 1",
    "residual_sd": "SD of the residuals",
    "residual_ss": "sum of squares of the residuals",
    "seasonal_mann_kendall": "seasonal Mann–Kendall",
    "session_id": "session",
    "shapiro_wilk": "Shapiro–Wilk",
    "spearman": "Spearman",
    "ss_between": "sum of squares between groups",
    "ss_model": "sum of squares of the model",
    "ss_residual": "sum of squares of the residuals",
    "ss_within": "sum of squares within groups",
    "std_error": "standard error",
    "tjur": "Tjur",
    "tukey_hsd": "Tukey’s HSD",
    "tukey_kramer": "Tukey–Kramer",
    "welch": "Welch",
}
"""Written like this within a name; at its beginning the first letter is a capital."""

_ENDINGS = {"_ci_low": ", lower limit", "_ci_high": ", upper limit"}
_WRAPPERS = frozenset({"result"})
"""Members that only hold others: they say nothing in a name."""


def readable(name: str) -> str:
    """A known field in words; else the name as it is."""
    for ending, words in _ENDINGS.items():
        if name.endswith(ending) and len(name) > len(ending):
            return readable(name.removesuffix(ending)) + words
    return SYMBOLS.get(name) or NAMES.get(name) or name


def path_of(names: tuple[str, ...]) -> tuple[str, ...]:
    """A path without the members that only hold others."""
    return tuple(name for name in names[:-1] if name not in _WRAPPERS) + names[-1:]
