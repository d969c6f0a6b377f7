{#
Rules and building blocks of the claims audit that several models share. The figures of a kind of test belong in its
model int_claim_figures_<kind>, the words of reasons in pipelines/texts.
#}

{#
Whether the claim holds for a figure. The tolerance also applies to bounds: a figure close enough to equal N is close
enough to be at least N. A range holds between `low` and `claimed`. Differences are rounded to nine digits, so that a
decimal fraction without an exact double does not change the result.
#}
{% macro claim_holds(figure, claimed, low, tolerance, comparator) -%}
case {{ comparator }}
            when 'gt' then round({{ figure }} - ({{ claimed }} - {{ tolerance }}), 9) > 0
            when 'gte' then round({{ figure }} - ({{ claimed }} - {{ tolerance }}), 9) >= 0
            when 'lt' then round({{ figure }} - ({{ claimed }} + {{ tolerance }}), 9) < 0
            when 'lte' then round({{ figure }} - ({{ claimed }} + {{ tolerance }}), 9) <= 0
            when 'range'
                then round({{ figure }} - ({{ low }} - {{ tolerance }}), 9) >= 0
                    and round({{ figure }} - ({{ claimed }} + {{ tolerance }}), 9) <= 0
            when 'ceiling' then round({{ claimed }} - ({{ figure }} + {{ tolerance }}), 9) <= 0
            else round(abs({{ figure }} - {{ claimed }}) - {{ tolerance }}, 9) <= 0
        end
{%- endmacro %}

{#
One part of a reason as JSON: a code, which names a text in pipelines/texts, and the operands of that text, each
an SQL expression: claim_part('no_number', series='series', value='value'). An operand can be a part or a list of parts.
#}
{% macro claim_part(code) -%}
{%- set operands = [] -%}
{%- for name, operand in kwargs.items() -%}
{%- do operands.append("'" ~ name ~ "', " ~ operand) -%}
{%- endfor -%}
json_object('code', '{{ code }}', 'operands', json_object({{ operands | join(', ') }}))
{%- endmacro %}

{# The reason of a test, for the given members: the tests of several members can share it. #}
{% macro claim_reason_for(members, reason='reason') -%}
json_merge_patch({{ reason }}, json_object('operands', json_object('members', {{ members }})))
{%- endmacro %}
