"""Random result documents in the words of many scripts, as Hypothesis draws them."""

from __future__ import annotations

import hashlib
from typing import Any

from hypothesis import strategies as st

JSON = dict[str, Any]

SCRIPTS: dict[str, tuple[str, str]] = {
    "latin": (" ", "boiling pressure Ærøskøbing naïve façade Straße œuvre İstanbul ŵyneb affine office Đà"),
    "greek": (" ", "θερμοκρασία ἀνάλυσις πίεση ὕδωρ ῥεῦμα Ἀθῆναι μικρόν"),
    "cyrillic": (" ", "температура давление щёлочь съёмка Ґанок їжак љубав ўсё"),
    "hebrew": (" ", "טמפרטורה לחץ מים רתיחה שלום ירושלים"),
    "arabic": (" ", "درجة الحرارة ضغط الماء السلام علیکم پژوهش الأبحاث لا"),
    "devanagari": (" ", "तापमान क्षेत्र दबाव पानी विज्ञान श्रृंखला हिन्दी"),
    "bengali": (" ", "তাপমাত্রা চাপ ক্ষেত্র বিজ্ঞান বাংলা"),
    "tamil": (" ", "வெப்பநிலை அழுத்தம் நீர் கொதிநிலை தமிழ்"),
    "telugu": (" ", "ఉష్ణోగ్రత పీడనం నీరు క్షేత్రం"),
    "thai": ("", "อุณหภูมิ ความดัน น้ำ เดือด ภาษาไทย กตัญญู"),
    "khmer": (" ", "សីតុណ្ហភាព សម្ពាធ ទឹក ខ្មែរ"),
    "burmese": (" ", "အပူချိန် ဖိအား ရေ မြန်မာ"),
    "amharic": (" ", "ሙቀት ግፊት ውሃ አማርኛ"),
    "han": ("", "温度 压力 沸点 汉字 漢字 氣壓 水 实验，结果。"),
    "japanese": ("", "沸点 カタカナ ひらがな 温度が 圧力に ﾊﾝｶｸ"),
    "korean": (" ", "온도 압력 끓는점 한국어 연구"),
    "maths": (" ", "∀x∈ℝ ⌈x⌉≠√2 ±∞ ⟨ψ|φ⟩ 𝔸𝒳 ∑ᵢxᵢ² ≤½ α→β 10⁻³ °C µm"),
    "emoji": (" ", "👩‍🔬 🇩🇪 ✂️ 🙂 🌡️ 👍🏽 ©"),
    "combining": (" ", "e\u0301 a\u0302 x\u0323 n\u0303o\u0308 o\u0328\u0301"),
    "markup": (" ", "#set *a* _b_ `c` <b> [d](e) \\f {g} $h$ @i | ~ ^ & % =j -k"),
}
"""By name: what parts words, and words."""

_SIZES = {"max_size": 3}


@st.composite
def texts(draw: st.DrawFn) -> str:
    """A few words, mostly of one script, now and then with a number or a word of another."""
    name = draw(st.sampled_from(sorted(SCRIPTS)))
    between, listed = SCRIPTS[name]
    words = draw(st.lists(st.sampled_from(listed.split(" ")), min_size=1, max_size=7))
    if draw(st.booleans()):
        words.insert(draw(st.integers(0, len(words))), f" {draw(st.integers(0, 10**6))} ")
    if draw(st.integers(0, 3)) == 0:
        other = SCRIPTS[draw(st.sampled_from(sorted(SCRIPTS)))][1].split(" ")
        words.insert(draw(st.integers(0, len(words))), f" {draw(st.sampled_from(other))} ")
    return between.join(words).strip()


_numbers = st.integers(-(10**9), 10**9) | st.floats(-1e12, 1e12, allow_nan=False).filter(lambda x: abs(x) > 1e-9)
_cells = st.none() | _numbers | texts()


@st.composite
def documents(draw: st.DrawFn) -> JSON:
    """A result document with passages that its claims and findings rest on."""
    sources = [_citation(draw, index) for index in range(draw(st.integers(1, 3)))]
    cited = st.lists(st.sampled_from([source["id"] for source in sources]), min_size=1, max_size=2, unique=True)
    sections = []
    for place in range(draw(st.integers(1, 2))):
        claims = [
            {"id": f"c{place}-{n}", "text": draw(texts()), "citations": draw(cited), "support": 0.5}
            for n in range(draw(st.integers(1, 3)))
        ]
        # The first claim stands in the section's prose, others follow it.
        body = f"{draw(texts())}\n\n{claims[0]['text']} [1] {draw(texts())}"
        sections.append({"id": f"s{place}", "heading": draw(texts()), "body": body, "claims": claims})
    columns = draw(st.lists(texts(), min_size=1, max_size=4))
    row = st.lists(_cells, min_size=len(columns), max_size=len(columns))
    first = sources[0]["passages"][0]["quote"]
    return {
        "title": draw(texts()),
        "summary": draw(texts()),
        "confidence_score": draw(st.floats(0, 1)),
        "sections": sections,
        "key_findings": [
            {
                "id": f"f{n}", "text": draw(texts()), "quote": draw(st.sampled_from([None, first])),
                "citations": [sources[0]["id"]], "confidence": draw(st.floats(0, 1)),
            }
            for n in range(draw(st.integers(0, 2)))
        ],
        "tables": [{"id": "t", "title": draw(texts()), "columns": columns, "rows": draw(st.lists(row, max_size=4))}],
        "citations": sources,
    }  # fmt: skip


def _citation(draw: st.DrawFn, index: int) -> JSON:
    passages = []
    for _ in range(draw(st.integers(1, 3))):
        quote = draw(texts())
        digest = hashlib.sha256(quote.encode()).hexdigest()
        passages.append({"quote": quote, "page": 1, "start": 0, "end": len(quote), "sha256": digest})
    family = draw(texts()).replace(",", " ").strip() or "Name"
    title, year = draw(texts()), draw(st.integers(1900, 2030))
    return {
        "id": f"k{index}", "document_id": f"d{index}", "title": title, "authors": [f"{family}, Kim"], "year": year,
        "doi": None, "url": None, "passages": passages,
        "csl": {"id": f"k{index}", "type": "book", "title": title, "author": [{"family": family, "given": "Kim"}],
                "issued": {"date-parts": [[year]]}},
    }  # fmt: skip
