"""The suggested code for a missing one, and the verdict on a link after a failed reply."""

from __future__ import annotations

import pytest

from sources.http.client import Failure, FailureKind, Reply
from sources.inspection import Verdict, failed, missing

WDI = ["SP.POP.TOTL", "IT.NET.USER.ZS", "IT.NET.BBND.P2", "NY.GDP.PCAP.CD"]


@pytest.mark.parametrize(
    ("code", "known", "nearest"),
    [
        ("ITU_DH_POP_COV_4G", ["MOB_COV_3G", "MOB_COV_4G", "MOB_COV_5G", "IT_HH_INT"], "MOB_COV_4G"),
        ("MOB_COV_4G", ["ITU_DH_MOB_COV_4G", "ITU_DH_MOB_COV_3G"], "ITU_DH_MOB_COV_4G"),
        ("SE_ACC_INTN", ["SE_ACS_CMPTR", "SE_ACS_INTNT", "IT_NET_BBND"], "SE_ACS_INTNT"),
        ("UN_EGDI_TII", ["UN_EGDI_EGDI", "UN_EGDI_HCI", "UN_EGDI_OSI", "UN_EGDI_TTI"], "UN_EGDI_TTI"),
        ("account.t.d", ["account_t_d", "fin26a"], "account_t_d"),
        ("IT_NET_USER", ["IT_NET_USER_PT", "IT_CEL_SETS"], "IT_NET_USER_PT"),
    ],
)
def test_the_nearest_code_is_found_even_if_one_of_both_has_a_prefix(code: str, known: list[str], nearest: str) -> None:
    found = missing(code, "the list", known)
    assert found.verdict is Verdict.RENAMED and f"nearest is {nearest}:" in found.detail


def test_a_code_that_moved_to_another_database_is_found() -> None:
    found = missing("GE.EST", "source 2", WDI, ["GOV_WGI_GE.EST"], {"source 3": ["GOV_WGI_RQ.EST", "GOV_WGI_GE.EST"]})
    assert "source 2 has no GE.EST; nearest is GOV_WGI_GE.EST in source 3" in found.detail


def test_a_code_of_another_link_is_not_suggested() -> None:
    known = ["IT.NET.USER.ZS", "IT.NET.USER.MA.ZS"]
    assert missing("IT.NET.USER.FE.ZS", "source 2", known).verdict is Verdict.RENAMED
    assert missing("IT.NET.USER.FE.ZS", "source 2", known, known).verdict is Verdict.GONE


def test_a_prefix_common_to_all_codes_does_not_make_them_similar() -> None:
    known = ["UN_EGDI_EGDI", "UN_EGDI_HCI", "UN_EGDI_OSI", "UN_EGDI_TTI"]
    assert missing("UN_EGDI_EPI", "UN_EGDI", known).verdict is Verdict.GONE


@pytest.mark.parametrize("code", ["IS.RRS.GOOD.MT.K6", "MOB_COV_4G", "NO.SUCH.CODE"])
def test_a_code_without_a_similar_one_is_gone(code: str) -> None:
    assert missing(code, "the list", [*WDI, "MOB_COV_3G", "MOB_COV_5G"]).verdict is Verdict.GONE
    assert missing(code, "the list", []).verdict is Verdict.GONE


@pytest.mark.parametrize(
    ("kind", "status", "verdict"),
    [
        (FailureKind.STATUS, 429, Verdict.UNREACHABLE),
        (FailureKind.STATUS, 404, Verdict.GONE),
        (FailureKind.STATUS, 503, Verdict.UNREACHABLE),
        (FailureKind.TIMEOUT, 0, Verdict.UNREACHABLE),
        (FailureKind.UNREACHABLE, 0, Verdict.UNREACHABLE),
        (FailureKind.TOO_LARGE, 0, Verdict.TOO_LARGE),
        (FailureKind.CONTENT_TYPE, 200, Verdict.UNREADABLE),
        (FailureKind.ADDRESS, 0, Verdict.UNREADABLE),
    ],
)
def test_a_failed_reply_has_one_verdict(kind: FailureKind, status: int, verdict: Verdict) -> None:
    found = failed(Reply("http://host/path", status=status, failure=Failure(kind, "the reason")))
    assert found is not None and (found.verdict, found.detail) == (verdict, "the reason")


def test_a_reply_without_a_failure_has_no_verdict() -> None:
    assert failed(Reply("http://host/path", status=200)) is None


@pytest.mark.parametrize(("kind", "status"), [(FailureKind.STATUS, 403), (FailureKind.CHALLENGE, 202)])
def test_a_reply_that_rejects_programs_is_blocked_with_the_remedy(kind: FailureKind, status: int) -> None:
    url = "https://provider.test/files/table.csv"
    found = failed(Reply(url, status=status, failure=Failure(kind, "the reason")))
    assert found is not None and found.verdict is Verdict.BLOCKED
    assert "the reason" in found.detail and f"fetch {url}" in found.detail and "CAREC_LOCAL_FILES" in found.detail
