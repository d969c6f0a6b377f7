"""The structure message of an SDMX export: code lists, concepts, data structures and dataflows.

Belongs here: components and code lists in terms of ``pysdmx``, and the two forms of the message. Does not belong here:
which components and codes there are.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pysdmx.io.format import Format
from pysdmx.io.writer import write_sdmx
from pysdmx.model import (
    Code,
    Codelist,
    Concept,
    ConceptScheme,
    DataType,
    ItemReference,
    Organisation,
)
from pysdmx.model.dataflow import Component as SdmxComponent
from pysdmx.model.dataflow import Components, DataStructureDefinition, Role
from pysdmx.model.dataflow import Dataflow as SdmxDataflow
from pysdmx.model.message import Header

from warehouse.export.folder import write
from warehouse.export.sdmx.codelists import STANDARD, CodeTable
from warehouse.export.sdmx.components import (
    AGENCY,
    DATAFLOWS,
    DIMENSIONS,
    OBSERVATIONS,
    RESULTS,
    TIME,
    VALUE,
    VERSION,
    Component,
)

SCHEME = "CONCEPTS"
_TYPES = {TIME: DataType.YEAR, VALUE: DataType.DOUBLE, "VINTAGE": DataType.DATE_TIME}
"""Component -> type, where it is neither coded nor a text."""
_FORMS = {"structure.json": Format.STRUCTURE_SDMX_JSON_2_0_0, "structure.xml": Format.STRUCTURE_SDMX_ML_2_1}
"""JSON for programs that read the data messages; XML because most programs of offices read structures only from it."""


def write_structures(folder: Path, codelists: Mapping[str, CodeTable], message_id: str, prepared: datetime) -> None:
    """Write the structure message in each form.

    Args:
        folder: Where to write.
        codelists: The lists by their ids.
        message_id: Identifier of the message.
        prepared: Time of the publication, so that the same publication gives the same bytes.
    """
    header = Header(id=message_id, prepared=prepared.replace(tzinfo=UTC, microsecond=0), sender=Organisation(id=AGENCY))
    artefacts = _artefacts(codelists)
    for name, form in _FORMS.items():
        text = write_sdmx(artefacts, form, header=header, prettyprint=True)
        assert text is not None
        write(folder / name, _without_groups(text) if name.endswith(".json") else f"{text}\n")


def _without_groups(text: str) -> str:
    """Return a JSON message without the empty lists of groups that the library writes and the standard forbids."""
    message = json.loads(text)
    for structure in message["data"]["dataStructures"]:
        if not structure["dataStructureComponents"].get("groups"):
            structure["dataStructureComponents"].pop("groups", None)
    return json.dumps(message, indent=1, ensure_ascii=False) + "\n"


def _artefacts(codelists: Mapping[str, CodeTable]) -> list[Any]:
    lists = {name: _codelist(table) for name, table in codelists.items()}
    described = {one.id: one for one in (*OBSERVATIONS, *RESULTS)}
    concepts = ConceptScheme(
        id=SCHEME,
        name="Concepts of the CAREC Digital Scorecard",
        agency=AGENCY,
        version=VERSION,
        items=[Concept(id=one.id, name=one.name, description=one.description) for one in described.values()],
    )
    structures = {
        name: DataStructureDefinition(
            id=name,
            name=name.capitalize(),
            agency=AGENCY,
            version=VERSION,
            components=Components([_component(one, DIMENSIONS[name], lists) for one in components]),
        )
        for name, components in (("OBSERVATIONS", OBSERVATIONS), ("RESULTS", RESULTS))
    }
    flows = [
        SdmxDataflow(
            id=flow.id,
            name=flow.name,
            description=flow.description,
            agency=AGENCY,
            version=VERSION,
            structure=structures[flow.structure],
        )
        for flow in DATAFLOWS
    ]
    return [*lists.values(), concepts, *structures.values(), *flows]


def _codelist(table: CodeTable) -> Codelist:
    return Codelist(
        id=table.id,
        name=table.name,
        agency=table.agency,
        version=table.version,
        is_partial=table.agency == STANDARD,
        items=[Code(id=code.id, name=code.name, description=code.description) for code in table.codes],
    )


def _component(one: Component, dimensions: tuple[str, ...], lists: Mapping[str, Codelist]) -> SdmxComponent:
    codes = lists[one.codelist] if one.codelist else None
    role = Role.DIMENSION if one.id in (*dimensions, TIME) else Role.MEASURE if one.id == VALUE else Role.ATTRIBUTE
    optional: dict[str, Any] = {"attachment_level": "O"} if role is Role.ATTRIBUTE else {}
    return SdmxComponent(
        id=one.id,
        required=one.required,
        role=role,
        concept=ItemReference("Concept", AGENCY, SCHEME, VERSION, one.id),
        local_codes=codes,
        local_enum_ref=(
            f"urn:sdmx:org.sdmx.infomodel.codelist.Codelist={codes.agency}:{codes.id}({codes.version})"
            if codes
            else None
        ),
        local_dtype=None if codes else _TYPES.get(one.id, DataType.STRING),
        **optional,
    )
