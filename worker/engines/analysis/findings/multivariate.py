"""Findings from clusters, components, anomalies and compared models."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from worker.engines.analysis.findings.draft import Draft, confidence, doubts_of
from worker.engines.analysis.wording import listed, number, plural

Result = dict[str, Any]

_NAMED_ROWS = 3
_STABLE = 0.75
_ALIKE = 0.2


def from_cluster(result: Result, rows: int) -> Iterator[Draft]:
    """How many clusters there are and what sets each apart; or that the data do not show any."""
    n, k, doubts = result["n"], result["k"], doubts_of(result)
    sure = confidence(None, n, n / rows, doubts)
    names = tuple(result["columns"])
    numbers: Result = {key: result[key] for key in ("k", "n", "silhouette", "share_between", "adjusted_rand_resampled")}
    if k == 1:
        text = f"The rows do not show clusters in {listed(names)} (n = {n}). {result['reason']}"
        yield Draft(
            text, numbers | {"silhouette_by_chance": result["silhouette_by_chance"]}, 0.0, sure, names, "cluster", True
        )
        return
    how = "k-means" if result["method"] == "kmeans" else "Ward's hierarchy"
    asked = ", as many as asked for" if result["k_chosen_by"] == "asked" else ""
    sizes = listed([str(c["size"]) for c in result["clusters"]])
    stability = min(c["stability"] for c in result["clusters"])
    firm = "come back in resampled data" if stability >= _STABLE else "do not all come back in resampled data"
    text = (
        f"By {how} on {listed(names)} the {n} rows fall into {k} clusters{asked} of {sizes} rows: mean silhouette "
        f"{number(result['silhouette'], 3)}; they {firm} (lowest mean Jaccard {number(stability, 3)})."
    )
    if not asked:
        text += f" {result['reason']}"
    if result["categories"]:
        best = result["categories"][0]
        index = best["adjusted_rand"]
        alike = "hardly follow" if index < _ALIKE else "partly follow" if index < 1 - _ALIKE else "largely follow"
        text += f" The clusters {alike} {best['column']} (adjusted Rand index {number(index, 2)})."
        numbers[f"adjusted_rand_{best['column']}"] = index
    effect = math.sqrt(max(0.0, result["share_between"] or 0.0)) * stability
    yield Draft(text, numbers, effect, sure, names, "cluster", True, whole=True)
    for cluster in result["clusters"][:5]:
        apart = [
            f"{part['column']} {'higher' if part['difference_in_sd'] > 0 else 'lower'} "
            f"({number(part['mean'])} against {number(part['mean_of_others'])})"
            for part in cluster["apart"]
        ]
        text = f"Cluster {cluster['cluster']} ({plural(cluster['size'], 'row')}) differs from the others most by "
        text += f"{listed(apart)}; it was made from these columns, so this describes it and tests nothing."
        described: Result = {
            "size": cluster["size"],
            "stability": cluster["stability"],
            "silhouette": cluster["silhouette"],
        }
        described |= {part["column"]: part["difference_in_sd"] for part in cluster["apart"]}
        yield Draft(text, described, 0.5 * effect, sure, names, "cluster", True)


def from_pca(result: Result, rows: int) -> Iterator[Draft]:
    """How many components exceed chance, and what each stands for."""
    n, above = result["n"], result["above_chance"]
    names = tuple(column["name"] for column in result["columns"])
    sure = confidence(None, n, n / rows, doubts_of(result))
    components = result["components"]
    if not above:
        first = components[0]
        text = (
            f"No principal component of {listed(names)} exceeds chance: the first holds "
            f"{number(100 * first['share'], 3)} % of the variance, uncorrelated columns reach "
            f"{number(100 * first['share_by_chance'], 3)} % (n = {n})."
        )
        yield Draft(text, {"above_chance": 0, "share": first["share"], "n": n}, 0.0, sure, names, "pca", True)
        return
    shown = components[:above]
    parts = [f"component {c['component']} ({number(100 * c['share'], 3)} %): {c['meaning']}" for c in shown]
    lead = "component exceeds" if above == 1 else "components exceed"
    scaled = "standardised" if result["standardised"] else "not standardised"
    text = (
        f"{above} principal {lead} chance and {'holds' if above == 1 else 'together hold'} "
        f"{number(100 * shown[-1]['cumulative'], 3)} % of the variance of {listed(names)} ({scaled}, n = {n}): "
        f"{'; '.join(parts[:5])}."
    )
    numbers = {f"share_{c['component']}": c["share"] for c in shown} | {
        "above_chance": above,
        "cumulative": shown[-1]["cumulative"],
        "kmo": result["adequacy"]["kmo"],
        "n": n,
    }
    yield Draft(text, numbers, math.sqrt(shown[0]["share"]), sure, names, "pca", True)


def from_anomalies(result: Result, rows: int) -> Iterator[Draft]:
    """How many rows stand out and which most, or that none does."""
    n, count = result["n"], result["outstanding"]
    names = tuple(column["name"] for column in result["columns"])
    time = () if result["time"] is None else (result["time"],)
    sure = confidence(None, n, n / rows, doubts_of(result))
    if not count:
        text = (
            f"No row stands out in {listed(names)}: none of the {n} rows lies farther from the bulk than chance would "
            f"bring in {number(100 * result['alpha'], 2)} % of data sets of this size."
        )
        yield Draft(text, {"outstanding": 0, "n": n}, 0.0, sure, (*names, *time), "anomalies", True)
        return
    outstanding = [item for item in result["anomalies"] if item["stands_out"]]
    told = [f"row {item['row']} ({_pushed(item)})" for item in outstanding[:_NAMED_ROWS]]
    lead = "stands" if count == 1 else "stand"
    text = (
        f"{count} of {n} rows {lead} out in {listed(names)}, {'most of all ' if count > 1 else ''}{listed(told)}. "
        f"Chance would bring one or more so far out in at most {number(100 * result['alpha'], 2)} % of normal data "
        "sets of this size. Whether they are errors, the numbers cannot say."
    )
    first = outstanding[0]
    numbers = {
        "outstanding": count,
        "n": n,
        "row": first["row"],
        "score": first["score"],
        "p_adjusted": first["p_adjusted"],
    }
    # How far out on a scale to 1: five robust standard deviations count as one half.
    effect = first["score"] / (first["score"] + 5)
    p = min(1.0, first["p_adjusted"])
    yield Draft(
        text, numbers, effect, confidence(p, n, n / rows, doubts_of(result)), (*names, *time), "anomalies", True
    )


def _pushed(item: Result) -> str:
    parts = item["pushed_by"][:2]
    against = "its neighbours" if item["method"] == "local trend" else "the bulk"
    said = [
        f"{part['column']} {number(part['value'])}, typical of {against} {number(part['typical'])}" for part in parts
    ]
    if item["method"] == "distance":
        return f"together: {'; '.join(said)}"
    return "; ".join(said)


def from_compare_models(result: Result, rows: int) -> Iterator[Draft]:
    """The verdict, with what the best model's error is."""
    n = result["n"]
    best = next(model for model in result["models"] if model["name"] == result["best"])
    size = f"{result['loss']} {number(best['error'])} ± {number(best['std_error'], 2)}"
    if best["root_error"] is not None:
        size += f", a typical error of {number(best['root_error'])}"
    repeats = f", repeated {result['repeats']} times" if result["repeats"] > 1 else ""
    text = f"{result['verdict']} ({size}; {result['folds']}-fold cross-validation{repeats}, n = {n}.)"
    gain = best["gain_over_mean"]
    numbers = {
        "best": best["name"],
        "error": best["error"],
        "std_error": best["std_error"],
        "r_squared_out": best["r_squared_out"],
        "gain_ci_low": None if gain is None else gain["ci_low"],
        "gain_ci_high": None if gain is None else gain["ci_high"],
        "simplest_within_one_se": result["simplest_within_one_se"],
        "n": n,
    }
    clear = bool(best["clearly_better_than_mean"])
    effect = math.sqrt(min(1.0, max(0.0, best["r_squared_out"] or 0.0))) if clear else 0.0
    columns = (result["response"], *result["features"])
    sure = confidence(None, n, n / rows, doubts_of(result))
    yield Draft(text, numbers, effect, sure, columns, "compare_models", True, whole=True)
