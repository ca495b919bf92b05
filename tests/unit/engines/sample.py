"""A small library for the engines' tests, with what real documents bring along: headings, lists, reference lists,
boilerplate, wrapped lines, a copy of a document, and two sources that contradict each other."""

from __future__ import annotations

from tests.unit.engines.fakes import Library

SPACING = """# Spaced Practice

## What it is

Spaced practice is the distribution of study over several sessions with pauses between them. It was first measured
by Ebbinghaus with lists of syllables [1].

## What is known

Spaced practice improves long-term retention in comparison with massed practice.[2] Learners who space their study
sessions remember more after a month, e.g. in language courses. How long should the pause be?

- The best pause grows with the time until the test.
- Short pauses.

| pause | recall |
| one day | 0.61 |

Figure 1 shows the recall of spaced practice over time.

## References

Ebbinghaus, H. (1885). Memory: A contribution to experimental psychology. Spaced practice, pp. 1-10.
Spaced practice improves retention and was listed here by mistake.
"""

TESTING = """Retrieval Practice

Retrieval practice means that learners recall what they studied instead of reading it again. Retrieval practice
strengthens memory more than repeated reading does. The effect of retrieval practice holds for facts and for concepts,
and it is larger after a delay of several days.

Feedback makes retrieval practice more effective, because errors are corrected before they are learnt.

Copyright 2021 by the authors. All rights reserved.
"""

INTERLEAVING = """Interleaving

Interleaving means that different kinds of problems are mixed during practice. Interleaved practice improves the
ability to tell kinds of problems apart. Spaced practice improves the long-term retention in comparison to massed
practice.
Interleaving increases the retention of mathematical procedures in school classes.
"""

DOUBTS = """Doubts about Interleaving

The evidence comes from a few laboratories. Interleaving does not increase the retention of mathematical procedures in
school classes. Teachers report that mixed exercises feel harder to pupils.
"""

SLEEP = """Sleep

Sleep after study stabilises new memories. During slow-wave sleep the hippocampus replays what was learnt during the
day. Long-term retention is better when sleep follows study within a few hours.
"""

BREAD = """Sourdough

A sourdough starter is a culture of wild yeast and bacteria. Flour and water are mixed and left for several days.
"""


def library() -> Library:
    """The library, freshly made."""
    made = Library()
    made.add("d-spacing", SPACING, "Spaced Practice", authors=("Ludwig van der Berg", "Chen, Mei"), year=2019)
    made.add("d-testing", TESTING, "Retrieval Practice", year=2021, doi="10.1000/Testing", url="https://example.org/t")
    made.add("d-interleaving", INTERLEAVING, "Interleaving", year=2020)
    made.add("d-doubts", DOUBTS, "Doubts about Interleaving", year=2022)
    made.add("d-sleep", SLEEP, "Sleep and Memory")
    made.add("d-bread", BREAD, "Sourdough")
    return made
