"""Turns of phrase about all columns, whole rows, and rise or fall."""

from __future__ import annotations

import re

GREW = re.compile(
    r"\b(?:did|does|do|has|have|had|is|are|was|were) .*@\d+ (?:[a-z]+ )?(?:really |clearly |still |also )?(?:been )?"
    r"(?:grow|grown|rise|risen|fall|fallen|drop|dropped|decline|declined|increase|increased|decrease|decreased|shrink|"
    r"shrunk|change|changed|go up|gone up|go down|gone down)\b|"
    r"@\d+ (?:grew|rose|fell|dropped|declined|shrank|went up|went down)\b"
)
TREND = re.compile(r"\b(?:trends?|trending)\b")
INTERACTION = re.compile(
    r"\b(?:interact\w*|moderat(?:e|es|ed|or|ors|ion))\b|"
    r"\b(?:effects?|influence|impact) of @\d+ on @\d+ (?:\w+ )?(?:depends?|depended|differs?|differed|var(?:y|ies|ied)|"
    r"changes?|(?:is|are) (?:different|stronger|weaker|larger|smaller|the same))\b"
)
KINDS_OF = re.compile(
    r"\bare there (?:really |in fact )?(?:two|three|four|five|several|\d+) (?:kinds|types|sorts|groups) of\b"
)
MEANS = re.compile(
    r"(?<=@\d) means? (?=(?:an? )?(?:more|less|fewer|higher|lower|larger|smaller|longer|shorter|better|worse)\b)|"
    r"(?<=@\d) means? (?=an? @)"
)
"""*mean* as a verb, which asks for no mean."""
YES_OR_NO = re.compile(
    r"^ (?:so |and |but )?(?:does|do|did|is|are|was|were|can|could|has|have|had|which|who|where|when)\b| how many\b"
)
"""Beginnings of questions that the description of one column does not answer."""
ROWS = re.compile(
    r"\b(?:which|what|any|unusual|odd|strange|suspicious|abnormal|extreme) (?:\w+ )?"
    r"(?:rows?|records?|cases?|entries|observations|lines|data points)\b"
)
SENTENCE = re.compile(r"[.?!;]")
ANY_COLUMN = re.compile(
    r"(?:attributes|clear|clearly|connections|fields|linear|links|numeric|numerical|pairs?|pairwise|quantit(?:y|ies)|"
    r"strengths?|strongest|weak|weakest|features|associations)"
)
CAUSAL = re.compile(
    r"\b(?:cause|causes|caused|causing|causal|causality|causation|because|due to|leads? to|led to|result in|results in|"
    r"responsible for|why|makes? .* (?:higher|lower|larger|smaller|better|worse)|what if|if we|should we|"
    r"would happen)\b"
)
BEYOND = re.compile(
    r"\b(general population|population at large|in general|everywhere|worldwide|elsewhere|all over the world|"
    r"other (?:countries|cities|schools|people|regions|places|populations|hospitals|years)|"
    r"(?:all|most) (?:people|humans|countries|patients|animals|plants|companies))\b"
)
DRIVERS = re.compile(
    r"\b(?:drivers? of|determinants? of|predictors? of|(?:which|what) (?:of )?(?:\w+ ){0,4}?(?:factors?|variables?|"
    r"columns?|features?|predictors?|things?|attributes?|measures?)|most important|what (?:else )?(?:affects?|drives?|"
    r"determines?|influences?|explains?|predicts?|causes?|matters)|depends? on what|what (?:does|do) .* depends? on|"
    r"related to what)\b"
)
RELATION = re.compile(
    r"\b(?:relation|relations|relationship|relationships|association|correlation|correlations|correlates?|correlated|"
    r"associated|related|linked|connected|link|connection|independent|independence|go together|goes together|"
    r"associate|relate|covary|interplay|together)\b"
)
OVERVIEW = re.compile(
    r"\b(?:stands? out|overview|summar\w+|describe|descriptive|explor\w+|analy[sz]e|analysis|look at|insights?|"
    r"interesting|notable|patterns?|report|profile|story|learn|tell me|anything|everything|"
    r"what (?:can|do) (?:we|you|the|"
    r"these|this)|findings)\b"
)
OF_LEVEL = re.compile(
    rf"(?:{OVERVIEW.pattern}|^ (?:what|how much|how high|how large) (?:is|are|was|were)\b).*"
    r"@\d+ (?:for|among|of|in|at|on) (?:the )?#\d+(?: @\d+)? [?.]? *$"
)
"""What is to be said of one column is to be said of the rows with one value of another."""
