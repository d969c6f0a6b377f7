-- Every published score line by line, from the observation to the overall score. Codes and operands describe each line;
-- the English texts are made from them.
with lines as (
    from {{ ref('int_explained_indicators') }}
    union all by name
    from {{ ref('int_explained_composites') }}
)

select
    framework_id,
    iso3,
    subject,
    subject_id,
    step::integer as step,
    label_code,
    {{ sentence('label_code', 'operands') }} as item,
    arithmetic,
    value,
    note_code,
    {{ sentence('note_code', 'operands') }} as note,
    source_code,
    {{ sentence('source_code', 'operands') }} as source,
    source_url,
    operands
from lines
order by framework_id, iso3, subject, subject_id, step
