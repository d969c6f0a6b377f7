{# The column has each of `values` in exactly one row, and no other value. #}
{% test one_row_each(model, column_name, values) %}
select
    expected.entry,
    found.{{ column_name }},
    count(*) as rows_with_the_value
from (select unnest(['{{ values | join("', '") }}']) as entry) as expected
full outer join {{ model }} as found on expected.entry = found.{{ column_name }}
group by all
having count(*) > 1 or expected.entry is null or found.{{ column_name }} is null
{% endtest %}
