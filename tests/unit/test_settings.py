"""Network settings: the sender of a request, and the address of a provider."""

from __future__ import annotations

import pytest

from pipelines.settings import load_settings, with_base_urls
from sources.catalogue import load_catalogue
from sources.errors import ConfigurationError
from sources.http.client import Http, agent


def test_a_request_names_project_version_and_the_operators_contact() -> None:
    assert load_settings(_env_file=None).agent == agent()
    assert agent().startswith("carec-digital-scorecard/") and "contact" not in agent()
    named = load_settings(contact="ops@example.org").agent
    assert named == f"{agent()[:-1]}; contact: ops@example.org)"


def test_a_name_set_by_the_operator_replaces_the_default() -> None:
    assert load_settings(user_agent=" ministry-of-data/2 ", contact="ops@example.org").agent == "ministry-of-data/2"


@pytest.mark.parametrize("blank", ["", "  "])
def test_a_blank_name_counts_as_not_set(blank: str) -> None:
    assert load_settings(user_agent=blank, contact=blank).agent == agent()


@pytest.mark.parametrize(
    "value",
    [
        "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
        "mozilla/5.0 (compatible; carec)",
        "carec Chrome/140.0.0.0",
        "Safari/605.1.15",
    ],
)
@pytest.mark.parametrize("name", ["user_agent", "contact"])
def test_the_name_of_a_browser_is_refused(name: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match=f"CAREC_{name.upper()}=.*this names a browser"):
        load_settings(**{name: value})


@pytest.mark.parametrize("value", ["two\nlines", "carec\r\nX-Other: 1", "tab\there", "Министерство", "bell\x07"])
@pytest.mark.parametrize("name", ["user_agent", "contact"])
def test_a_name_that_is_invalid_in_a_header_is_refused(name: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match=f"CAREC_{name.upper()}=.*one line of printable ASCII"):
        load_settings(**{name: value})


def test_every_address_of_a_provider_is_below_the_configured_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAREC_WIPO_GII_URL", "http://127.0.0.1:9/wipo")
    monkeypatch.setenv("CAREC_QOG_URL", "http://127.0.0.1:9/qog")
    providers = with_base_urls(load_catalogue()).providers
    wipo, qog = providers["wipo_gii"], providers["qog"]
    assert (str(wipo.base_url), str(wipo.alternative_url)) == ("http://127.0.0.1:9/wipo",) * 2
    assert (str(qog.base_url), qog.alternative_url) == ("http://127.0.0.1:9/qog", None)
    assert providers["gtmi"] == load_catalogue().providers["gtmi"]


def test_a_session_uses_the_given_name() -> None:
    with Http(user_agent="ministry/1") as http:
        assert http._opened().headers["User-Agent"] == "ministry/1"
