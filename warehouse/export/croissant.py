"""The description of an export by the Croissant standard of MLCommons, version 1.0.

Belongs here: what the description of the data package becomes in Croissant's terms. Does not belong here: the tables
and the licences, which the data package has (``package``).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

VERSION = "http://mlcommons.org/croissant/1.0"

_TYPES = {
    "string": "sc:Text",
    "number": "sc:Float",
    "integer": "sc:Integer",
    "boolean": "sc:Boolean",
    "date": "sc:Date",
    "datetime": "sc:DateTime",
}
"""Type of the data package -> type of schema.org."""

_JSON = {"@type": "@json"}
_CROISSANT_TERMS = (
    *(
        "citeAs",
        "equivalentProperty",
        "column",
        "extract",
        "field",
        "fileObject",
        "fileProperty",
        "fileSet",
        "format",
        "includes",
        "isLiveDataset",
    ),
    *(
        "jsonPath",
        "key",
        "md5",
        "parentField",
        "path",
        "recordSet",
        "references",
        "regex",
        "repeated",
        "replace",
        "samplingRate",
    ),
    *("separator", "source", "subField", "transform"),
)

CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    **{term: f"cr:{term}" for term in _CROISSANT_TERMS},
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", **_JSON},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "examples": {"@id": "cr:examples", **_JSON},
    "rai": "http://mlcommons.org/croissant/RAI/",
    "sc": "https://schema.org/",
}
"""The JSON-LD context that the standard prescribes."""


def croissant(package: dict[str, Any], about: dict[str, Any]) -> dict[str, Any]:
    """Return the description as JSON-LD: one file and one record set per table.

    Args:
        package: The description by the Frictionless Data Package standard.
        about: The row of the table ``publication``.
    """
    resources = package["resources"]
    return {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "name": package["name"],
        "description": package["description"],
        "conformsTo": VERSION,
        "citeAs": f"{package['title']}, as of {about['as_of']}, publication {about['fingerprint'][:12]}; figures of "
        + "; ".join(source["title"] for source in package["sources"]),
        "license": list(dict.fromkeys(one.get("path", one["title"]) for one in package["licenses"])),
        "creator": {"@type": "sc:Organization", "name": package["title"]},
        "datePublished": f"{about['published_at']:%Y-%m-%d}",
        "version": "{0.year}.{0.month}.{0.day}".format(about["published_at"]),
        "isLiveDataset": True,
        "distribution": [_file(resource) for resource in resources],
        "recordSet": [_record_set(resource) for resource in resources],
    }


def _file(resource: dict[str, Any]) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": resource["path"],
        "name": resource["name"],
        "description": resource["description"],
        "contentUrl": resource["path"],
        "contentSize": f"{resource['bytes']} B",
        "encodingFormat": resource["mediatype"],
        "sha256": resource["hash"].removeprefix("sha256:"),
    }


def _record_set(resource: dict[str, Any]) -> dict[str, Any]:
    return {
        "@type": "cr:RecordSet",
        "@id": resource["name"],
        "name": resource["name"],
        "description": resource["description"],
        "field": list(_fields(resource)),
    }


def _fields(resource: dict[str, Any]) -> Iterable[dict[str, Any]]:
    for field in resource["schema"]["fields"]:
        yield {
            "@type": "cr:Field",
            "@id": f"{resource['name']}/{field['name']}",
            "name": field["name"],
            "description": field["description"],
            "dataType": _TYPES[field["type"]],
            "source": {"fileObject": {"@id": resource["path"]}, "extract": {"column": field["name"]}},
        }
