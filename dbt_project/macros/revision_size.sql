{#
The size of a change between two figures of one indicator, by the limits of the seed revision_sizes: rounding, small or
large; NULL if a figure or the limits are missing. It is a macro of the database, not only of dbt: the
comparison of two publications (warehouse/publications.py) calls it in the published file.
#}
{% macro create_revision_size() -%}
    create or replace macro revision_size(previous, present, basis, rounding, large) as
    case
        when previous is null or present is null or basis is null then null
        when abs(present - previous) <= rounding * if(basis = 'relative', abs(previous), 1) + 1e-9 then 'rounding'
        when abs(present - previous) > large * if(basis = 'relative', abs(previous), 1) + 1e-9 then 'large'
        else 'small'
    end
{%- endmacro %}
