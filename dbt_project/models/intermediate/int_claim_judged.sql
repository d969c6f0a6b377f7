-- Every figure compared with every question, for all members and years: does the claim hold, and is the claim tested on
-- the figure's year? A baseline without a year is tested on no year: any earlier figure may be meant. A value without a
-- year is tested on a window that counts back from the review, however early a series ends.
-- test_id: question, economy and variant, the key of a row of claim_tests.
with held as (
    select
        questions.question_id,
        concat_ws('/', questions.question_id, figures.iso3, figures.variant) as test_id,
        questions.role,
        questions.kind,
        questions.year_basis,
        questions.first_year,
        questions.last_year,
        questions.claimed_year,
        figures.variant,
        figures.iso3,
        figures.year,
        figures.base_year,
        questions.scale * figures.figure as figure,
        questions.scale * figures.base_figure as base_figure,
        questions.scale * figures.figure_without_afg as figure_without_afg,
        figures.missing,
        figures.provider,
        figures.vintage_at,
        figures.source_url,
        case
            when questions.kind = 'direction'
                then
                    case when questions.direction = 'lower_is_better' then -1 else 1 end
                    * (figures.figure - figures.base_figure)
        end as improvement,
        case
            when questions.is_same_dimension and questions.claimed is not null and questions.kind <> 'direction'
                then {{ claim_holds(
                    'questions.scale * figures.figure', 'questions.claimed', 'questions.low', 'questions.tolerance',
                    'questions.comparator'
                ) }}
        end as holds
    from {{ ref('int_claim_questions') }} as questions
    inner join {{ ref('int_claim_figures') }} as figures
        on questions.claim_id = figures.claim_id and questions.indicator_id = figures.indicator_id
),

placed as (
    select
        held.*,
        coalesce(
            case
                when held.kind = 'direction' and held.year_basis <> 'none' then true
                when held.year_basis <> 'none' then held.year between held.first_year and held.last_year
                when held.role = 'value'
                    then held.year between parameters.window_from and parameters.last_year and (
                        held.kind = 'direction'
                        or row_number() over (
                            partition by held.test_id
                            order by case when held.year <= parameters.last_year then held.year end desc nulls last
                        ) <= parameters.window_years
                    )
            end, false
        ) as in_window,
        coalesce(held.last_year, held.claimed_year, parameters.last_year) as reference_year,
        parameters.window_from,
        parameters.last_year as window_to,
        parameters.stand_in_years
    from held
    cross join {{ ref('int_claim_parameters') }} as parameters
    -- a baseline lies before the value
    where
        held.role = 'value'
        or held.year_basis = 'stated'
        or held.year < coalesce(held.claimed_year, parameters.last_year)
)

select
    placed.* exclude (
        role, kind, year_basis, first_year, last_year, claimed_year, reference_year, window_from, window_to,
        stand_in_years
    ),
    case
        when placed.year_basis = 'none' and placed.role = 'value'
            then greatest(
                coalesce(min(placed.year) filter (where placed.in_window) over tested, placed.window_from)
                - placed.year,
                placed.year
                - coalesce(max(placed.year) filter (where placed.in_window) over tested, placed.window_to),
                0
            )
        when placed.year_basis = 'period'
            then greatest(placed.first_year - placed.year, placed.year - placed.last_year, 0)
        else abs(placed.year - placed.reference_year)
    end as distance,
    -- if the year in question has no figure: the nearest one, at most stand_in_years away; of two, the earlier one
    placed.year_basis <> 'none'
    and placed.kind not in ('direction', 'rank_in_edition')
    and not bool_or(placed.in_window) over tested
    and abs(placed.year - placed.reference_year) <= placed.stand_in_years
    and row_number() over (tested order by abs(placed.year - placed.reference_year), placed.year) = 1
        as is_stand_in
from placed
window tested as (partition by placed.test_id)
