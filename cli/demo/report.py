"""A session's results, for reading in a terminal."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.markup import escape

_MOST_FINDINGS = 8


def show_results(console: Console, results: dict[str, Any], metrics: dict[str, Any]) -> None:
    """Title, summary, key findings with quotes and sources, confidence and cost."""
    body = results["results"]
    citations = {citation["id"]: citation for citation in results["citations"]}
    console.print(f"\n[bold underline]{escape(str(body.get('title', 'Results')))}[/]\n", highlight=False)
    if body.get("partial"):
        console.print("[yellow]Partial: time or budget ended before everything was read.[/]")
    console.print(escape(results["summary"]), highlight=False)
    findings = body.get("key_findings", [])
    if findings:
        console.print("\n[bold]Key findings[/]")
    for number, finding in enumerate(findings[:_MOST_FINDINGS], 1):
        confidence = float(finding.get("confidence", 0.0))
        console.print(f"\n{number}. {escape(finding['text'])}  [dim](confidence {confidence:.2f})[/]", highlight=False)
        for citation_id in finding.get("citations", []):
            if citation_id in citations:
                _show_source(console, citations[citation_id], finding["text"])
    cost = metrics["cost_breakdown"]
    console.print(
        f"\n[bold]Confidence[/] {float(results['confidence_score']):.2f}   "
        f"[bold]Cost[/] {cost['charged']} {escape(cost['currency'])} of {cost['held']} held   "
        f"[bold]Sources[/] {len(citations)}   [bold]Time[/] {metrics['execution_time'] or '< 1'} s",
        highlight=False,
    )


def _show_source(console: Console, citation: dict[str, Any], text: str) -> None:
    """The source's best passage for a text; a quote that is the text itself is not said twice."""
    passages = citation.get("passages", [])
    year = f" ({int(citation['year'])})" if citation.get("year") else ""
    source, lead = f"{citation['title']}{year}", ""
    if passages:
        passage = max(passages, key=lambda p: _overlap(str(p["quote"]), text))
        quote = " ".join(str(passage["quote"]).split())
        source += f", p. {int(passage['page'])}" if passage.get("page") else ""
        if quote == " ".join(text.split()):
            lead = "verbatim in "
        else:
            console.print(f"   [italic]“{escape(quote)}”[/]", highlight=False)
    console.print(f"   {lead}[cyan]{escape(source)}[/]", highlight=False)


def _overlap(quote: str, text: str) -> int:
    return len(set(quote.lower().split()) & set(text.lower().split()))
