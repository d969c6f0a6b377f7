"""Country names to ISO3."""

from __future__ import annotations

import polars as pl
import pytest

from sources.parsing.country_names import NAMES, iso3_of


def code(name: str | None) -> str | None:
    found = pl.DataFrame({"name": [name]}, schema={"name": pl.String}).select(iso3_of(pl.col("name")))
    return found["name"][0]  # type: ignore[no-any-return]


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252"])
@pytest.mark.parametrize(
    ("name", "iso3"), [("Türkiye", "TUR"), ("Côte d'Ivoire", "CIV"), ("São Tomé and Príncipe", "STP")]
)
def test_a_garbled_name_is_recognised(name: str, iso3: str, encoding: str) -> None:
    once = name.encode().decode(encoding, errors="replace")
    twice = once.encode().decode(encoding, errors="replace")
    assert [code(each) for each in (name, once, twice, name.upper(), f" {name} ")] == [iso3] * 5


@pytest.mark.parametrize(
    ("name", "iso3"),
    [
        ("Kyrgyzstan", "KGZ"),
        ("Republic of Korea", "KOR"),
        ("Democratic People's Republic of Korea", "PRK"),
        ("Trinidad & Tobago", "TTO"),
        ("Georgia (Country)", "GEO"),
        ("Congo", "COG"),
        ("Democratic Republic of the Congo", "COD"),
        ("Niger", "NER"),
        ("Nigeria", "NGA"),
    ],
)
def test_similar_names_are_distinguished(name: str, iso3: str) -> None:
    assert code(name) == iso3


@pytest.mark.parametrize("name", ["Narnia", "World", "", "Koreas", None])
def test_an_unknown_name_is_not_guessed(name: str | None) -> None:
    assert code(name) is None


def test_no_spelling_means_two_countries() -> None:
    names = pl.read_csv(NAMES)
    assert names["name"].n_unique() == names.height
    assert names["iso3"].str.contains("^[A-Z]{3}$").all()
    assert names.filter(names.select(iso3_of(pl.col("name")))["name"] != pl.col("iso3")).rows() == []
