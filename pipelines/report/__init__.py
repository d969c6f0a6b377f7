"""What people read in a browser or on paper: the report page and the country briefs, from the published file alone.

``data`` asks the published file, ``words`` finds texts and writes figures in a language, ``charts`` draws, ``page`` and
``briefs`` fill the templates, ``pdf`` prints. Does not belong here: computing a figure (``dbt_project``).
"""
