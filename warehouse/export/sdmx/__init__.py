"""The export in the formats that statistical offices exchange (SDMX 3.0).

Does not belong here: tables and workbook (``warehouse.export.package``).
"""
