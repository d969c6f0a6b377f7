"""What people read in a browser or on paper: the report page and the country briefs, from the published file alone.

``data`` reads the published file, ``charts`` draws, ``page`` and ``briefs`` fill the templates, ``pdf`` prints.
Does not belong here: computing a figure (``dbt_project``), texts and formats of figures (``pipelines.texts``).
"""
