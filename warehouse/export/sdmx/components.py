"""The components of the SDMX data sets: dimensions, the measure and attributes, in the order of the files.

Belongs here: which components a data structure has and what they mean. Does not belong here: codes (``codelists``),
structure messages (``structures``), the query of a component (``queries``).
"""

from __future__ import annotations

from dataclasses import dataclass

AGENCY = "CAREC_SCORECARD"
"""Maintenance agency of the structures that are the project's own."""
VERSION = "1.1.0"
"""Version of these structures; a new, removed or redefined component raises it."""


@dataclass(frozen=True)
class Component:
    """A component. ``codelist`` is the id of its list of codes; None for free text or numbers."""

    id: str
    name: str
    description: str
    codelist: str | None = None
    required: bool = False


TIME = "TIME_PERIOD"
VALUE = "OBS_VALUE"

_FREQ = Component("FREQ", "Frequency", "How often the figure is measured; all are annual", "CL_FREQ", True)
_AREA = Component("REF_AREA", "Reference area", "Economy or aggregate, by ISO 3166-1 alpha-3", "CL_REF_AREA", True)
_TIME = Component(TIME, "Time period", "Year of the figure; for an edition index, the edition", None, True)
_VALUE = Component(
    VALUE,
    "Observation value",
    "In UNIT_MEASURE; NaN in CSV and null in JSON if missing, and then MISSING_REASON has the reason",
)
_UNIT = Component("UNIT_MEASURE", "Unit of measure", "Unit of the value", "CL_UNIT_MEASURE", True)
_STATUS = Component(
    "OBS_STATUS",
    "Observation status",
    "By the standard code list; where several apply, the first of: break, missing, what the provider's flag means",
    "CL_OBS_STATUS",
    True,
)
_CONF = Component("CONF_STATUS", "Confidentiality status", "F if the licence is open, else N", "CL_CONF_STATUS", True)
_REASON = Component(
    "MISSING_REASON", "Reason of a missing value", "Why there is no value; empty if there is one", "CL_MISSING_REASON"
)
_RIGHTS = (
    Component("PROVIDER", "Provider", "Provider that publishes the figure, or this project", "CL_PROVIDER", True),
    Component("LICENCE", "Licence", "Licence of the figure", None, True),
    Component("VINTAGE", "Vintage", "When this state of the figure was received, UTC", None, True),
    Component("SOURCE_URL", "Source", "Address of the series at the provider; empty for results of this project"),
)

OBSERVATIONS = (
    _FREQ,
    _AREA,
    Component("INDICATOR", "Indicator", "Indicator of the catalogue", "CL_INDICATOR", True),
    _TIME,
    _VALUE,
    _UNIT,
    _STATUS,
    _CONF,
    _REASON,
    Component("PROVIDER_FLAG", "Flag of the provider", "The provider's own flag, unchanged"),
    Component("COMMENT_OBS", "Comment", "Why the series breaks here, or why the figure was corrected or flagged"),
    *_RIGHTS,
    Component("PROVIDER_CODE", "Code of the provider", "The provider's code of the series, unchanged", None, True),
    Component("PROVIDER_RELEASE", "Release", "The provider's release, or the date of its update"),
)
"""Components of the data structure ``OBSERVATIONS``: figures as providers publish them."""

RESULTS = (
    _FREQ,
    _AREA,
    Component("FRAMEWORK", "Framework", "Set of indicators, weights and benchmarks", "CL_FRAMEWORK", True),
    Component("SUBJECT_TYPE", "Kind of subject", "What is scored or projected", "CL_SUBJECT_TYPE", True),
    Component("SUBJECT", "Subject", "The overall score, a pillar, a sub-theme or an indicator", "CL_SUBJECT", True),
    Component("MEASURE", "Measure", "What the value is", "CL_MEASURE", True),
    _TIME,
    _VALUE,
    _UNIT,
    _STATUS,
    _CONF,
    _REASON,
    Component(
        "PROGRESS_STATUS", "Status", "Status of an indicator's progress towards its target", "CL_PROGRESS_STATUS"
    ),
    Component(
        "TIED_WITH",
        "Tied with",
        "Of a rank: economies by ISO 3166-1 alpha-3 whose order with this one holds in too few scenarios to be sure",
    ),
    *_RIGHTS,
)
"""Components of the data structure ``RESULTS``: what this project computes from the observations."""

DIMENSIONS = {
    "OBSERVATIONS": ("FREQ", "REF_AREA", "INDICATOR"),
    "RESULTS": ("FREQ", "REF_AREA", "FRAMEWORK", "SUBJECT_TYPE", "SUBJECT", "MEASURE"),
}
"""Data structure -> its dimensions except time, which together name a series."""


@dataclass(frozen=True)
class Dataflow:
    """A data set of the export: its id, name, data structure and components."""

    id: str
    name: str
    description: str
    structure: str
    components: tuple[Component, ...]

    @property
    def file(self) -> str:
        """Name of its files, without the ending."""
        return self.id.lower()

    @property
    def urn(self) -> str:
        """Its address in the information model."""
        return f"urn:sdmx:org.sdmx.infomodel.datastructure.Dataflow={AGENCY}:{self.id}({VERSION})"

    @property
    def series(self) -> tuple[str, ...]:
        """Dimensions except time."""
        return DIMENSIONS[self.structure]

    @property
    def attributes(self) -> tuple[Component, ...]:
        """Components that are neither dimensions nor the measure."""
        return tuple(one for one in self.components if one.id not in (*self.series, TIME, VALUE))


DATAFLOWS = (
    Dataflow(
        "OBSERVATIONS",
        "Observations",
        "The newest known figure of every indicator, economy and year",
        "OBSERVATIONS",
        OBSERVATIONS,
    ),
    Dataflow(
        "SCORES",
        "Scores",
        "Scores, coverages, ranks, paces and probabilities as of the end of each year, by today's goalposts and the"
        " newest figures; imputed scores are a sensitivity, with the status I",
        "RESULTS",
        RESULTS,
    ),
    Dataflow(
        "TRAJECTORIES",
        "Trajectories",
        "The path of each indicator from its baseline to its target, and the projection of the observed pace",
        "RESULTS",
        RESULTS,
    ),
)
