{#
Beta convergence: the slope of a regression of the yearly change on the value at the start, and its standard error. Sums
are added in the order of `key`, so that the result does not depend on the number of threads. Which members and years
are compared does not belong here: see the models int_regional_*.
#}

{# The slope by least squares; NULL if all members start from one value. #}
{% macro beta(change, start, key) -%}
{{ finite('regr_slope(' ~ change ~ ', ' ~ start ~ ' order by ' ~ key ~ ')') }}
{%- endmacro %}

{# Its standard error: the square root of residual sum of squares / (n - 2) / sum of squares of the start values. #}
{% macro beta_error(change, start, key) -%}
{%- set sxx = 'regr_sxx(' ~ change ~ ', ' ~ start ~ ' order by ' ~ key ~ ')' -%}
{%- set syy = 'regr_syy(' ~ change ~ ', ' ~ start ~ ' order by ' ~ key ~ ')' -%}
{%- set sxy = 'regr_sxy(' ~ change ~ ', ' ~ start ~ ' order by ' ~ key ~ ')' -%}
case
            when count(*) > 2 and {{ sxx }} > 0
                then sqrt(greatest({{ syy }} - {{ sxy }} * {{ sxy }} / {{ sxx }}, 0) / (count(*) - 2) / {{ sxx }})
        end
{%- endmacro %}
