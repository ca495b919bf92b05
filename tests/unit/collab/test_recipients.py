"""Recipients and what a signed-in user may have been named as."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.auth.principal import Principal
from services.collab.recipients import InvalidRecipient, form_faults, parse, parse_all, principals_of

OLGA = Principal("olga", email="olga@x.org")


@pytest.mark.parametrize(
    ("text", "shown", "principal"),
    [
        ("bob", "bob", "user:bob"),
        (" bob ", "bob", "user:bob"),
        ("user:bob", "user:bob", "user:bob"),
        ("USER: bob", "user:bob", "user:bob"),
        ("user:bob@corp", "user:bob@corp", "user:bob@corp"),
        ("auth0|5f7c", "auth0|5f7c", "user:auth0|5f7c"),
        ("google:123", "google:123", "user:google:123"),
        ("Bob@X.org", "bob@x.org", "email:bob@x.org"),
        ("email:Bob@X.org", "email:bob@x.org", "email:bob@x.org"),
        ("team:Lab", "team:Lab", "team:Lab"),
        ("team:a@b", "team:a@b", "team:a@b"),
    ],
)
def test_forms(text: str, shown: str, principal: str) -> None:
    recipient = parse(text)
    assert (recipient.shown, recipient.principal) == (shown, principal)


@pytest.mark.parametrize(
    "text",
    ["", "  ", "user:", "team: ", "email:", "email:bob", "@", "a@", "@b", "a@b@c", "a b@c", "a\nb"],
)
def test_what_is_no_recipient(text: str) -> None:
    with pytest.raises(InvalidRecipient):
        parse(text)


@pytest.mark.parametrize("text", ["u" * 256, "team:" + "t" * 256, "a@" + "b" * 253])
def test_what_is_too_long(text: str) -> None:
    parse(text[:-1])
    with pytest.raises(InvalidRecipient):
        parse(text)


def test_form_faults_name_the_place() -> None:
    faults = form_faults(["bob", "@", "", "team:"])
    assert [fault.field for fault in faults] == ["recipients[1]", "recipients[3]"]


def test_repeats_are_dropped_by_principal_in_order() -> None:
    found, faults = parse_all(["b", "A@x.org", "user:b", "email:a@X.org", "c"], owner="olga", sharer=OLGA)
    assert ([r.shown for r in found], faults) == (["b", "a@x.org", "c"], [])


def test_owner_and_sharer_are_refused() -> None:
    _, faults = parse_all(["olga", "bob", "bob@x.org"], owner="olga", sharer=Principal("bob", email="bob@x.org"))
    assert [f.field for f in faults] == ["recipients[0]", "recipients[1]", "recipients[2]"]


def test_sharer_without_an_address_blocks_no_address() -> None:
    found, faults = parse_all(["a@x.org"], owner="olga", sharer=Principal("olga"))
    assert (len(found), faults) == (1, [])


def test_principals() -> None:
    assert principals_of(Principal("bob")) == ["user:bob"]
    whole = Principal("bob", email="bob@x.org", teams=("lab", " ", "x\0y", " ops "))
    assert principals_of(whole) == ["user:bob", "email:bob@x.org", "team:lab", "team:ops"]


@given(st.text(min_size=1, max_size=40))
def test_what_is_shown_is_read_as_the_same(text: str) -> None:
    try:
        recipient = parse(text)
    except InvalidRecipient:
        return
    assert parse(recipient.shown) == recipient
    assert recipient.principal.partition(":")[0] in ("user", "email", "team")
