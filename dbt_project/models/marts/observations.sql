-- The newest vintage of each indicator that was known at the end of the as-of day. If it has two figures of one year,
-- the one received last counts; if both were received together, the provider that is first in the alphabet.
with figures as (
    select *
    from {{ ref('int_vintages') }}
    where is_newest
    qualify
        row_number() over (
            partition by iso3, indicator_id, year
            order by retrieved_at desc, provider asc, provider_code asc, value asc
        ) = 1
)

select
    figures.iso3,
    figures.indicator_id,
    figures.year,
    figures.value,
    figures.unit,
    figures.obs_status,
    figures.provider,
    figures.provider_code,
    figures.provider_release,
    figures.retrieved_at,
    figures.source_url,
    figures.raw_sha256,
    figures.licence,
    figures.retrieved_via,
    figures.vintage_at,
    -- a response received after the vintage that repeats the figure confirms it as the provider's own
    case
        when
            figures.figure_origin in ('carried_over', 'retained')
            and confirmations.confirmed_at >= figures.vintage_at
            then null
        else figures.figure_origin
    end as figure_origin,
    -- the note of such a figure says why the newest answer was not used; a correction's note stays
    case
        when
            coalesce(figures.figure_origin, '') != 'retained'
            or confirmations.confirmed_at is null
            or confirmations.confirmed_at < figures.vintage_at
            then figures.figure_note
    end as figure_note,
    confirmations.confirmed_at,
    confirmations.confirmed_by,
    confirmations.confirmed_release,
    confirmations.confirmed_raw_sha256
from figures
left join {{ ref('int_confirmations') }} as confirmations
    on
        figures.indicator_id = confirmations.indicator_id
        and figures.iso3 = confirmations.iso3
        and figures.year = confirmations.year
        and figures.value = confirmations.value
order by figures.indicator_id, figures.iso3, figures.year
