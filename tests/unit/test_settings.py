"""Network settings: the sender of a request, and the address of a provider."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from pipelines.orchestration.webserver import check_temporary_folder
from pipelines.settings import NOT_IN_PATHS, Settings, load_settings, with_base_urls
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


def test_an_empty_value_is_not_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    defaults = {name: field.default for name, field in Settings.model_fields.items()}
    (tmp_path / ".env").write_text("CAREC_HTTP_TRIES=\n")
    for name in Settings.model_fields:
        monkeypatch.setenv(f"CAREC_{name.upper()}", "")
    assert load_settings().model_dump() == defaults


def test_a_tilde_is_the_home_of_the_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    settings = load_settings(warehouse="~/data", local_files="~/local")
    assert (settings.warehouse, settings.local_files) == (tmp_path / "data", tmp_path / "local")
    with pytest.raises(ConfigurationError, match=r"CAREC_WAREHOUSE=.*no user ~no-such-user"):
        load_settings(warehouse="~no-such-user/data")


@pytest.mark.parametrize("value", ['"/srv/carec"', "'/srv/carec'", '"/srv/carec'])
def test_quotes_in_a_value_are_refused_by_name(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("CAREC_WAREHOUSE", value)
    with pytest.raises(ConfigurationError, match=r"quotes are a part of the value; write CAREC_WAREHOUSE=/srv/carec$"):
        load_settings()


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "cp1251"])
def test_an_env_file_in_another_encoding_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, encoding: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("CAREC_CONTACT=Министерство\n", encoding=encoding)
    with pytest.raises(ConfigurationError, match=r"^\S*\.env: not UTF-8 text"):
        load_settings()


def test_the_mark_of_utf_8_is_no_part_of_a_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CAREC_HTTP_TRIES", raising=False)
    (tmp_path / ".env").write_text("CAREC_HTTP_TRIES=7\n", encoding="utf-8-sig")
    assert load_settings().http_tries == 7


@pytest.mark.parametrize("value", ["Asia", "Mars/Olympus", "../etc", "/etc"])
def test_a_value_that_is_no_time_zone_is_refused_by_name(value: str) -> None:
    with pytest.raises(ConfigurationError, match=r"CAREC_TIMEZONE=.*a time zone such as UTC"):
        load_settings(timezone=value)


def test_a_temporary_folder_whose_path_is_too_long_for_a_socket_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    check_temporary_folder()
    long = tmp_path / ("long" * 30)
    long.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(long))
    with pytest.raises(ConfigurationError, match=r"^TMPDIR=.*path too long; set TMPDIR to a shorter path"):
        check_temporary_folder()


@pytest.mark.parametrize("character", [*NOT_IN_PATHS, "\n", "\x1b"])
def test_a_path_that_the_database_cannot_have_is_refused_by_name(
    character: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CAREC_WAREHOUSE", str(tmp_path / f"a{character}b" / "data"))
    with pytest.raises(ConfigurationError, match=r"^CAREC_WAREHOUSE=.*choose a folder without it$"):
        load_settings()
    monkeypatch.setenv("CAREC_WAREHOUSE", str(tmp_path))
    monkeypatch.setenv("CAREC_LOCAL_FILES", str(tmp_path / f"a{character}b"))
    assert load_settings().local_files == tmp_path / f"a{character}b"
    monkeypatch.setattr("pipelines.settings.PROJECT", tmp_path / f"a{character}b")
    with pytest.raises(ConfigurationError, match="move the checkout"):
        load_settings()
    assert list(tmp_path.iterdir()) == []


def test_spaces_letters_of_any_script_and_links_are_accepted_in_a_path(tmp_path: Path) -> None:
    folder = tmp_path / "a b (ü, я) @+&!~$;^"
    folder.mkdir()
    (tmp_path / "li nk").symlink_to(folder)
    assert load_settings(warehouse=tmp_path / "li nk").warehouse == folder


@pytest.mark.parametrize("value", ["6", "lots", "6GB'; drop table observations; --", "-1"])
def test_a_limit_of_memory_is_an_amount_with_a_unit(value: str) -> None:
    assert load_settings(memory_limit="6.5 GiB").memory_limit == "6.5 GiB"
    with pytest.raises(ConfigurationError, match="CAREC_MEMORY_LIMIT="):
        load_settings(memory_limit=value)
