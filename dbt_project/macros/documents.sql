{#
The site of an address, for counting independent sources: the host without `www.` and without the prefix of a language.
pipelines/seeds/documents.py uses the same pattern.
#}
{% macro site_of(url) -%}
nullif(regexp_extract({{ url }}, '{{ var("site_pattern") }}', 1), '')
{%- endmacro %}

{#
The last day of a date of the form year, year-month or year-month-day. NULL if there is no such day.
#}
{% macro last_day_of(stated) -%}
case length({{ stated }})
            when 4 then make_date(try_cast({{ stated }} as integer), 12, 31)
            when 7 then last_day(try_cast({{ stated }} || '-01' as date))
            else try_cast({{ stated }} as date)
        end
{%- endmacro %}
