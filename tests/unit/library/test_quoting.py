from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from services.library.holdings import Hit
from services.library.quoting import within

WORDS = st.text(alphabet=st.sampled_from("ab é\U0001f33f "), min_size=1, max_size=300).filter(lambda t: bool(t.strip()))


def hit(quote: str, title: str = "t") -> Hit:
    return Hit("d", None, title, 1.0, quote, None, 10, 10 + len(quote))


def test_what_fits_stays_as_it_is() -> None:
    hits = [hit("one two"), hit("three")]
    assert within(hits, 10_000) == hits


def test_the_longest_quotes_end_earlier_between_words() -> None:
    short, long = within([hit("tiny"), hit("many words " * 100)], 200 * 2 + 2 + 4 + 50)
    assert short.quote == "tiny"
    assert long.quote == "many words many words many words many words many"
    assert long.end == 10 + len(long.quote)


@given(quotes=st.lists(WORDS, max_size=8), most=st.integers(0, 4_000))
def test_any_quotes_fit_and_stay_verbatim(quotes: list[str], most: int) -> None:
    hits = [hit(quote.strip()) for quote in quotes]
    cut = within(hits, most)
    for before, after in zip(hits, cut, strict=True):
        assert before.quote.startswith(after.quote)
        assert after.end - after.start == len(after.quote)
    room = max(0, most - sum(200 + len("t") for _ in hits))
    assert sum(len(each.quote.encode()) for each in cut) <= room
