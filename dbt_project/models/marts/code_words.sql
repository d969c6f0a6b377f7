-- The words of the pages for the codes of statuses, reasons and units. Views join them: a view of the published file
-- cannot call the function behind the macro `sentence`.
with used as (
    select
        'status' as kind,
        status as code
    from {{ ref('status_thresholds') }}
    union
    select
        'status' as kind,
        'level_only' as code
    union
    select
        'reason' as kind,
        status_reason as code
    from {{ ref('indicator_scores') }}
    union
    select
        'reason' as kind,
        score_reason as code
    from {{ ref('scorecard_history') }}
    union
    select
        'reason' as kind,
        score_reason as code
    from {{ ref('pillar_history') }}
    union
    select
        'reason' as kind,
        score_reason as code
    from {{ ref('pillar_scores') }}
    union
    select
        'unit' as kind,
        unit as code
    from {{ ref('indicators') }}
),

named as (
    select
        kind,
        code,
        case kind
            when 'status' then 'word_of_status' when 'reason' then 'word_of_reason' else 'word_of_unit'
        end as sentence_code,
        to_json({ 'code': code }) as operands
    from used
    where code is not null
)

select
    kind,
    code,
    {{ sentence('sentence_code', 'operands') }} as words
from named
order by kind, code
