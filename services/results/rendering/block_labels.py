"""The fixed words of the blocks that the product's own engines add to a result, in the report's languages."""

from __future__ import annotations

LANGUAGES = ("en", "de", "fr", "es")

_WORDS: dict[str, tuple[str, str, str, str]] = {
    "facets": ("What was asked", "Was gefragt war", "Ce qui était demandé", "Lo que se preguntó"),
    "gaps": ("What is missing", "Was fehlt", "Ce qui manque", "Lo que falta"),
    "sources": ("Sources", "Quellen", "Sources", "Fuentes"),
    "agreements": (
        "Where sources agree",
        "Worin Quellen übereinstimmen",
        "Où des sources concordent",
        "En qué coinciden las fuentes",
    ),
    "contradictions": (
        "Contradictions",
        "Widersprüche",
        "Contradictions",
        "Contradicciones",
    ),
    "conflicts": (
        "Contradictions between sessions",
        "Widersprüche zwischen Sitzungen",
        "Contradictions entre sessions",
        "Contradicciones entre sesiones",
    ),
    "bridges": ("Connections", "Verbindungen", "Liens", "Conexiones"),
    "themes": ("Themes", "Themen", "Thèmes", "Temas"),
    "provenance": ("Where it comes from", "Woher es stammt", "Provenance", "De dónde procede"),
    "screening": (
        "Screening (PRISMA 2020)",
        "Auswahl (PRISMA 2020)",
        "Sélection (PRISMA 2020)",
        "Cribado (PRISMA 2020)",
    ),
    "methods": ("Methods", "Methoden", "Méthodes", "Métodos"),
    "reproduction": (
        "Reproducing this analysis",
        "Diese Analyse wiederholen",
        "Reproduire cette analyse",
        "Reproducir este análisis",
    ),
    "script": (
        "The script {filename}, in the JSON of the results and in the export with raw data, repeats each computed step "
        "in plain numpy, scipy and pandas on the file named here and compares the numbers.",
        "Das Skript {filename}, im JSON der Ergebnisse und im Export mit Rohdaten, wiederholt jeden Rechenschritt "
        "in bloßem numpy, scipy und pandas an der hier genannten Datei und vergleicht die Zahlen.",
        "Le script {filename}, dans le JSON des résultats et dans l’export avec données brutes, répète chaque étape "
        "calculée avec numpy, scipy et pandas seuls sur le fichier nommé ici et compare les nombres.",
        "El script {filename}, en el JSON de los resultados y en la exportación con datos brutos, repite cada paso "
        "calculado solo con numpy, scipy y pandas sobre el archivo aquí nombrado y compara los números.",
    ),
    "analysis": ("What was computed", "Was berechnet wurde", "Ce qui a été calculé", "Lo que se calculó"),
    "hypotheses": ("Hypotheses", "Hypothesen", "Hypothèses", "Hipótesis"),
    "hypothesis": ("Hypothesis", "Hypothese", "Hypothèse", "Hipótesis"),
    "test": ("Test", "Test", "Test", "Prueba"),
    "effect": ("Effect (interval)", "Effekt (Intervall)", "Effet (intervalle)", "Efecto (intervalo)"),
    "p_adjusted": ("Adjusted p", "Korrigiertes p", "p ajusté", "p ajustado"),
    "verdict": ("Verdict", "Urteil", "Verdict", "Veredicto"),
    "verdict_yes": ("supported", "gestützt", "soutenue", "apoyada"),
    "verdict_no": ("not shown", "nicht gezeigt", "non montrée", "no mostrada"),
    "verdict_none": (
        "cannot be answered",
        "nicht beantwortbar",
        "sans réponse possible",
        "sin respuesta posible",
    ),
    "with": ("With:", "Mit:", "Avec :", "Con:"),
    "why": ("Why:", "Warum:", "Pourquoi :", "Por qué:"),
    "shown": ("Shown in:", "Gezeigt in:", "Voir :", "Se muestra en:"),
    "warning": ("Note:", "Hinweis:", "Remarque :", "Nota:"),
    "interval": ("interval", "Intervall", "intervalle", "intervalo"),
    "dataset": ("Dataset", "Datensatz", "Jeu de données", "Conjunto de datos"),
    "rows": ("Rows", "Zeilen", "Lignes", "Filas"),
    "columns": ("Columns", "Spalten", "Colonnes", "Columnas"),
    "sha256": ("SHA-256", "SHA-256", "SHA-256", "SHA-256"),
    "what": ("What was done", "Was getan wurde", "Ce qui a été fait", "Qué se hizo"),
    "seed": ("Seed", "Startwert", "Graine", "Semilla"),
    "versions": ("Versions", "Versionen", "Versions", "Versiones"),
    "source": ("Source", "Quelle", "Source", "Fuente"),
    "contributes": ("What it contributes", "Was sie beiträgt", "Ce qu’elle apporte", "Qué aporta"),
    "role_key": (
        "quoted for the answer",
        "für die Antwort zitiert",
        "citée pour la réponse",
        "citada para la respuesta",
    ),
    "role_contradicting": (
        "quoted; other sources contradict it",
        "zitiert; andere Quellen widersprechen",
        "citée ; d’autres sources la contredisent",
        "citada; otras fuentes la contradicen",
    ),
    "role_nearest": (
        "read; does not answer the question",
        "gelesen; beantwortet die Frage nicht",
        "lue ; ne répond pas à la question",
        "leída; no responde a la pregunta",
    ),
    "status_answered": ("answered", "beantwortet", "répondu", "respondido"),
    "status_single_source": (
        "answered, by one source",
        "beantwortet, von einer Quelle",
        "répondu, par une seule source",
        "respondido, por una sola fuente",
    ),
    "status_open": ("not answered", "nicht beantwortet", "sans réponse", "sin respuesta"),
    "against": ("Against it:", "Dagegen:", "À l’opposé :", "En contra:"),
    "about_prompt": (
        "One supports what was asked, the other contradicts it.",
        "Die eine stützt, wonach gefragt war, die andere widerspricht dem.",
        "L’une appuie ce qui était demandé, l’autre le contredit.",
        "Una apoya lo que se preguntó y la otra lo contradice.",
    ),
    "lead": (
        "A lead to follow, not a finding.",
        "Eine Spur, kein Ergebnis.",
        "Une piste à suivre, pas un résultat.",
        "Una pista por seguir, no un hallazgo.",
    ),
    "step": ("Step", "Schritt", "Étape", "Paso"),
    "documents": ("Documents", "Dokumente", "Documents", "Documentos"),
    "excluded": ("Excluded", "Ausgeschlossen", "Écartés", "Excluidos"),
    "document": ("Document", "Dokument", "Document", "Documento"),
    "reason": ("Reason", "Grund", "Raison", "Motivo"),
    "identified": ("Identified", "Gefunden", "Repérés", "Identificados"),
    "identified_by_given": ("named by the session", "von der Sitzung genannt", "nommés par la session", "de la sesión"),
    "identified_by_library": ("found in the library", "in der Bibliothek", "dans la bibliothèque", "en la biblioteca"),
    "duplicates_removed": ("Duplicates removed", "Duplikate entfernt", "Doublons retirés", "Duplicados eliminados"),
    "not_listed": ("Not listed", "Nicht aufgeführt", "Non listés", "No listados"),
    "screened": ("Screened", "Gesichtet", "Examinés", "Cribados"),
    "excluded_at_screening": (
        "Excluded at screening",
        "Bei der Sichtung ausgeschlossen",
        "Écartés à l’examen",
        "Excluidos en el cribado",
    ),
    "sought": ("Sought for retrieval", "Zum Lesen gesucht", "Recherchés", "Buscados para leer"),
    "not_retrieved": ("Not retrieved", "Nicht erhalten", "Non obtenus", "No obtenidos"),
    "assessed": ("Assessed", "Beurteilt", "Évalués", "Evaluados"),
    "excluded_after_reading": (
        "Excluded after reading",
        "Nach dem Lesen ausgeschlossen",
        "Écartés après lecture",
        "Excluidos tras la lectura",
    ),
    "included": ("Included", "Eingeschlossen", "Inclus", "Incluidos"),
    "depth": ("Depth", "Tiefe", "Profondeur", "Profundidad"),
    "searches": ("Searches", "Suchen", "Recherches", "Búsquedas"),
    "sessions": ("Sessions", "Sitzungen", "Sessions", "Sesiones"),
    "quotes_checked": ("Quotes checked", "Geprüfte Zitate", "Citations vérifiées", "Citas comprobadas"),
    "quotes_failed": ("not found again", "nicht wiedergefunden", "non retrouvées", "no encontradas de nuevo"),
    "model": ("Language model", "Sprachmodell", "Modèle de langage", "Modelo de lenguaje"),
    "sure_answer": (
        "how likely it is that the first finding answers the question",
        "wie wahrscheinlich die erste Aussage die Frage beantwortet",
        "probabilité que le premier constat réponde à la question",
        "probabilidad de que el primer hallazgo responda a la pregunta",
    ),
    "sure_overview": (
        "how far the overview stands for the documents",
        "wie weit der Überblick für die Dokumente steht",
        "dans quelle mesure l’aperçu représente les documents",
        "hasta qué punto el resumen representa los documentos",
    ),
    "sure_data": (
        "mean confidence of the findings in the data",
        "mittlere Konfidenz der Ergebnisse in den Daten",
        "confiance moyenne des constats dans les données",
        "confianza media de los hallazgos en los datos",
    ),
    "sure_both": (
        "mean of the confidence in the data and of that in the documents",
        "Mittel der Konfidenz in den Daten und der in den Dokumenten",
        "moyenne de la confiance dans les données et de celle dans les documents",
        "media de la confianza en los datos y de la de los documentos",
    ),
    "sure_synthesis": (
        "mean of the sessions, raised where they agree and lowered where they contradict each other",
        "Mittel der Sitzungen, höher bei Übereinstimmung und niedriger bei Widerspruch",
        "moyenne des sessions, relevée par l’accord et abaissée par la contradiction",
        "media de las sesiones, mayor si coinciden y menor si se contradicen",
    ),
}


def block_labels(language: str) -> dict[str, str]:
    """The words in one of `LANGUAGES`, their keys beginning with `block_`; English for any other."""
    place = LANGUAGES.index(language) if language in LANGUAGES else 0
    return {f"block_{key}": forms[place] for key, forms in _WORDS.items()}
