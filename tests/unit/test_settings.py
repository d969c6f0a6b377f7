"""Network settings: the sender of a request, and the address of a provider."""

from __future__ import annotations

import tempfile
from dataclasses import fields
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from pipelines.orchestration.webserver import check_temporary_folder
from pipelines.settings import NOT_IN_PATHS, Settings, load_settings, with_base_urls
from sources.catalogue import load_catalogue
from sources.errors import ConfigurationError
from sources.http.client import Http, agent


def test_a_request_names_project_version_and_the_operators_contact(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert load_settings().agent == agent()
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


def test_a_session_uses_the_given_name(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/", headers={"User-Agent": "ministry/1"}).respond_with_data("found")
    with Http(user_agent="ministry/1") as http:
        assert http.get(httpserver.url_for("/")).content == b"found"


def test_an_empty_value_is_not_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("CAREC_HTTP_TRIES=\n")
    for one in fields(Settings):
        monkeypatch.setenv(f"CAREC_{one.name.upper()}", "")
    assert load_settings() == Settings()


def test_an_argument_has_priority_over_the_environment_and_that_over_the_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("CAREC_HTTP_TRIES=2\ncarec_dbt_threads=3\nCAREC_CONTACT=ops@example.org\n")
    monkeypatch.setenv("CAREC_HTTP_TRIES", "5")
    monkeypatch.setenv("CAREC_CONTACT", "")
    settings = load_settings(keep_publications=7)
    assert (settings.http_tries, settings.dbt_threads, settings.keep_publications) == (5, 3, 7)
    assert settings.contact == "ops@example.org", "an empty variable does not hide the file"
    assert load_settings(http_tries=1).http_tries == 1


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("offline", "perhaps", "true or false is expected"),
        ("automation", "2", "true or false is expected"),
        ("http_tries", "many", "a whole number above 0 and at most 10 is expected"),
        ("http_tries", "2.5", "a whole number above 0 and at most 10 is expected"),
        ("http_tries", "11", "a whole number above 0 and at most 10 is expected"),
        ("keep_publications", "0", "a whole number above 0 is expected"),
        ("keep_publications", "inf", "a whole number above 0 is expected"),
        ("http_timeout_s", "601", "a number above 0 and at most 600 is expected"),
        ("refresh_budget_s", "nan", "a number above 0 is expected"),
        ("webhook_url", "ftp://example.org", "an address such as https://host/path is expected"),
        ("webhook_url", "https://", "an address such as https://host/path is expected"),
        ("webhook_url", "https://host:port/", "an address such as https://host/path is expected"),
        ("webhook_url", "https://host/a b", "an address such as https://host/path is expected"),
    ],
)
def test_a_value_of_another_kind_is_refused_by_name(
    name: str, value: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"CAREC_{name.upper()}", value)
    with pytest.raises(ConfigurationError) as caught:
        load_settings()
    assert str(caught.value) == f"CAREC_{name.upper()}={value!r}: {expected}"


@pytest.mark.parametrize(
    ("name", "value", "read"),
    [
        ("offline", "YES", True),
        ("offline", " off ", False),
        ("offline", True, True),
        ("http_tries", " 7 ", 7),
        ("http_tries", "7.0", 7),
        ("http_timeout_s", "0.5", 0.5),
        ("webhook_url", "https://example.org/hook?key=1", "https://example.org/hook?key=1"),
    ],
)
def test_a_value_may_be_written_in_every_usual_form(name: str, value: object, read: object) -> None:
    assert getattr(load_settings(**{name: value}), name) == read


def test_the_address_of_the_lake_is_in_no_print_of_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAREC_LAKE", "postgresql://carec:hidden@db.test/carec")
    settings = load_settings()
    assert settings.lake is not None and settings.lake.value.endswith("hidden@db.test/carec")
    assert "hidden" not in f"{settings} {settings.lake} {settings!r}"


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


@pytest.mark.parametrize("name", ["warehouse", "local_files"])
def test_a_file_in_place_of_a_folder_is_named_with_the_setting(tmp_path: Path, name: str) -> None:
    file = tmp_path / "notes.txt"
    file.touch()
    with pytest.raises(ConfigurationError, match=rf"^CAREC_{name.upper()}=.*notes.txt is a file; name a folder"):
        load_settings(**{name: str(file)})
