"""The data files of an SDMX export: SDMX-CSV 2.0 and SDMX-JSON 2.0.

Belongs here: the layout of the two formats. Does not belong here: the rows (``queries``), structure messages
(``structures``).

DuckDB writes both. ``pysdmx`` has no writer of SDMX-JSON data, and its writer of SDMX-CSV takes a pandas data frame:
two further libraries of 200 MB, and every cell becomes a Python object.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb

from warehouse.export.folder import copy
from warehouse.export.sdmx.codelists import CodeTable
from warehouse.export.sdmx.components import AGENCY, TIME, VALUE, VERSION, Component, Dataflow
from warehouse.export.sdmx.queries import query_of


def write_data(
    connection: duckdb.DuckDBPyConnection, folder: Path, flow: Dataflow, codelists: Mapping[str, CodeTable], meta: Any
) -> int:
    """Write a data set in both formats and return the number of its observations.

    Args:
        connection: The published file, after ``withhold`` and ``load_flags``.
        folder: Where to write.
        flow: The data set.
        codelists: The lists of codes by their ids.
        meta: Header of the JSON message.
    """
    columns = ", ".join(one.id for one in flow.components)
    connection.execute(f"create or replace temp table sdmx_rows as select {columns} from ({query_of(flow.id)})")
    # NaN is the standard's mark for a number that is missing on purpose; an empty field says that it is not transmitted
    copy(
        connection,
        f"select 'dataflow' as STRUCTURE, '{AGENCY}:{flow.id}({VERSION})' as STRUCTURE_ID, 'I' as ACTION,"
        f" {columns} from (select * replace (coalesce({VALUE}::varchar, 'NaN') as {VALUE}) from sdmx_rows)"
        f" order by {', '.join((*flow.series, TIME))}",
        folder / f"{flow.file}.csv",
        "format csv, header",
    )
    _write_json(connection, folder / f"{flow.file}.json", flow, codelists, meta)
    ((count,),) = connection.execute("select count(*) from sdmx_rows").fetchall()
    return int(count)


def _write_json(
    connection: duckdb.DuckDBPyConnection, path: Path, flow: Dataflow, codelists: Mapping[str, CodeTable], meta: Any
) -> None:
    """Write a message with one array per observation: the value, then the position of each attribute's value."""
    values = {one.id: _values(connection, one.id) for one in flow.components if one.id != VALUE}
    # an attribute without any value cannot have positions
    attributes = [one for one in flow.attributes if values[one.id]]
    named = {one.id: _named(one, values[one.id], codelists) for one in flow.components if one.id != VALUE}
    structure = {
        "name": flow.name,
        "dataSets": [0],
        "links": [{"rel": "dataflow", "urn": flow.urn}],
        "dimensions": {
            "series": [
                {"id": one.id, "name": one.name, "keyPosition": place, "values": named[one.id]}
                for place, one in enumerate(one for one in flow.components if one.id in flow.series)
            ],
            "observation": [
                {"id": TIME, "name": "Time period", "keyPosition": len(flow.series), "values": named[TIME]}
            ],
        },
        "measures": {"observation": [{"id": VALUE, "name": "Observation value"}]},
        "attributes": {
            "observation": [
                {"id": one.id, "name": one.name, "relationship": {"observation": {}}, "values": named[one.id]}
                for one in attributes
            ]
        },
    }
    text = json.dumps({"meta": meta, "data": {"structures": [structure]}}, ensure_ascii=False, separators=(",", ":"))
    series = _series(connection, flow, [one.id for one in attributes])
    links = json.dumps([{"rel": "dataflow", "urn": flow.urn}], separators=(",", ":"))
    data_set = f'{{"structure":0,"action":"Information","links":{links},"series":{{{series}}}}}'
    path.write_bytes(f'{text[:-2]},"dataSets":[{data_set}]}}}}\n'.encode())


def _values(connection: duckdb.DuckDBPyConnection, column: str) -> list[str]:
    rows = connection.execute(
        f"select distinct {column} from sdmx_rows where {column} is not null order by 1"
    ).fetchall()
    return [row[0] for row in rows]


def _named(one: Component, values: list[str], codelists: Mapping[str, CodeTable]) -> list[dict[str, str]]:
    """Return the values of a component with their names; a text is its own name, which some readers expect."""
    if one.codelist:
        names = codelists[one.codelist].names
        return [{"id": value, "name": names.get(value, value)} for value in values]
    if one.id == TIME:
        return [{"id": value, "name": value} for value in values]
    return [{"value": value, "name": value} for value in values]


def _series(connection: duckdb.DuckDBPyConnection, flow: Dataflow, attributes: list[str]) -> str:
    """Return the series as JSON, made in one query."""
    coded = (*flow.series, TIME, *attributes)
    # positions as in ``_values``; joins with the distinct values need half the memory of ranks over all rows
    places = ", ".join(f"p_{name}.place as {name}" for name in coded)
    joins = " ".join(
        f"left join (select {name} as value, row_number() over (order by {name}) - 1 as place"
        f" from (select distinct {name} from sdmx_rows where {name} is not null)) as p_{name}"
        f" on r.{name} = p_{name}.value"
        for name in coded
    )
    # trailing attributes without a value are left out, as the format allows
    cells = ", ".join(f"coalesce({name}::varchar, 'null')" for name in attributes)
    key = " || ':' || ".join(flow.series)
    ((text,),) = connection.execute(
        f"""
        with placed as (
            select {places}, coalesce(r.{VALUE}::varchar, 'null') as {VALUE} from sdmx_rows as r {joins}
        ),
        written as (
            select
                {", ".join(flow.series)},
                string_agg(
                    '"' || {TIME} || '":['
                    || regexp_replace(concat_ws(',', {VALUE}, {cells}), '(,null)+$', '') || ']',
                    ',' order by {TIME}
                ) as observations
            from placed group by {", ".join(flow.series)}
        )
        select coalesce(
            string_agg(
                '"' || {key} || '":{{"observations":{{' || observations || '}}}}',
                ',' order by {", ".join(flow.series)}
            ),
            ''
        ) from written
        """
    ).fetchall()
    return str(text)
