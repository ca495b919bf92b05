"""Whether a phrase names a thing that may be a theme or connect findings."""

from __future__ import annotations

from worker.engines.text.directions import SIGNS
from worker.engines.text.stopwords import word_set

_DOING = word_set(
    """
    absorb absorbed absorbs act acts add added adds affect affects allow allows appear appears become becomes begin
    begins bring brings carried carries carry cause caused causes change changes come comes contain contains
    contribute contributes control controls convert converts cool cools cover covers create creates depend depends
    destroy destroys determine determines differ differs drive drives dry emit emits enter enters exceed exceeds
    exclude excludes feed feeds fill fills flow flows follow follows give gives hold holds keep keeps lead leads
    leave leaves lengthen lengthens limit limits make makes mask masks melt melts mix mixes move moves occur occurs
    pass passes predict predicts produce produces protect protects reach reaches recover recovers reflect reflects
    release releases remain remains remove removes replace replaces reset resets return returns sell send sends
    separate separates set sets shelter shelters show shows sink sinks spread spreads stay stays stop stops store
    stores strike strikes support supports take takes transport transports turn turns uproot uproots vary varies
    warm warms work works
    """
)
_STATISTICS = word_set(
    """
    adjusted association average coefficient column columns confidence correlation data description deviation
    deviations direction directions distribution estimate group groups holm independent interval kendall mann mean
    median neighbouring opposite pearson percent proof quartile regression row rows sample samples sen significance
    slope spearman statistic test tests theil together unit value values variance
    """
)
_COMPUTED = word_set(
    """
    account accounts another change changes clear closely complete component components contribution contributions
    curve difference differences event events explained factor fewer fits fitted fixed follow forecast forecasts
    hazard held kruskal largest least level levels linear logistic missing model models number numbers observed odds
    outlier outliers parameter parameters period periods range ratio residual residuals seasonal series share shares
    smallest spread squares standard step steps term terms trend trends used wallis welch whitney within
    """
)
"""Words in which findings are told that were computed from data, beside the names in the data."""


def names_a_thing(surface: str, *, computed: bool = False) -> bool:
    """False for a phrase that begins or ends with what something does, holds a word of direction or denial, or speaks
    of the statistics by which a finding was made; of a finding `computed` from data, also for one all of whose
    words are those in which such findings are told."""
    found = surface.lower().replace("-", " ").split()
    if not SIGNS.isdisjoint(found) or not _STATISTICS.isdisjoint(found) or (computed and _COMPUTED.issuperset(found)):
        return False
    return found[0] not in _DOING and found[-1] not in _DOING
