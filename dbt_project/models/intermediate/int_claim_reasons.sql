-- The tests with their reasons as codes and operands. The reason of a test is one part with a list of findings: first
-- the outcome, then remarks.
with named as (
    select
        * exclude (tolerance),
        case when is_comparable then tolerance end as tolerance,
        case
            when kind = 'rank_in_group' then {{ claim_part('series_in_group', series='indicator_id') }}
            when kind in ('change', 'difference') and asked_base_year is null
                then {{ claim_part('series_change', series='indicator_id') }}
            when kind in ('change', 'difference')
                then {{ claim_part('series_change_since', series='indicator_id', year='asked_base_year') }}
            when with_indicator_id is null then to_json(indicator_id)
            when kind = 'ceiling_of_sum'
                then {{ claim_part('series_sum', series='indicator_id', with_series='with_indicator_id') }}
            else {{ claim_part('series_product', series='indicator_id', with_series='with_indicator_id') }}
        end as series,
        case comparator
            when 'gt' then {{ claim_part('claimed_gt', claimed='claimed') }}
            when 'gte' then {{ claim_part('claimed_gte', claimed='claimed') }}
            when 'lt' then {{ claim_part('claimed_lt', claimed='claimed') }}
            when 'lte' then {{ claim_part('claimed_lte', claimed='claimed') }}
            when 'approx' then {{ claim_part('claimed_approx', claimed='claimed') }}
            when 'range' then {{ claim_part('claimed_range', low='low', claimed='claimed') }}
            else to_json(claimed)
        end as claimed_bound
    from {{ ref('int_claim_tests') }}
),

found as (
    select
        *,
        case
            when kind in ('change', 'difference') and asked_base_year is null then {{ claim_part('no_base_year') }}
            when result = 'no_data' and value is null and kind = 'regional_mean'
                then {{ claim_part('no_mean', series='series') }}
            when result = 'no_data' then {{ claim_part('no_figure', series='series') }}
            when result = 'no_suitable_series' and value is null
                then {{ claim_part(
                    'no_years_to_compare', series='series', first_year='first_held_year', last_year='last_held_year'
                ) }}
            when result = 'no_suitable_series' and year_basis = 'none'
                then {{ claim_part(
                    'no_figure_in_window', series='series', first_year='window_from', last_year='window_to',
                    value='value', value_year='evidence_year'
                ) }}
            when result = 'no_suitable_series'
                then {{ claim_part(
                    'no_figure_near', series='series', year='last_year', value='value', value_year='evidence_year'
                ) }}
            when definition_match = 'different'
                then {{ claim_part(
                    'other_definition',
                    series='series', value='value', year='evidence_year', definition='definition_note'
                ) }}
            when is_across_editions
                then {{ claim_part(
                    'editions_do_not_compare',
                    series='series', value='value', year='evidence_year', base_value='base_value', base_year='base_year'
                ) }}
            when kind = 'direction' and improvement > 0
                then {{ claim_part(
                    'better',
                    series='series', value='value', year='evidence_year', base_value='base_value', base_year='base_year'
                ) }}
            when kind = 'direction'
                then {{ claim_part(
                    'not_better',
                    series='series', value='value', year='evidence_year', base_value='base_value', base_year='base_year'
                ) }}
            when claimed is null
                then {{ claim_part('no_number', series='series', value='value', year='evidence_year') }}
            when not is_same_dimension and claim_unit is null
                then {{ claim_part(
                    'claim_without_unit', series='series', unit='figure_unit', value='value', year='evidence_year'
                ) }}
            when not is_same_dimension
                then {{ claim_part(
                    'other_unit',
                    series='series', unit='figure_unit', claim_unit='claim_unit', value='value', year='evidence_year'
                ) }}
            when result = 'below_ceiling'
                then {{ claim_part(
                    'within_ceiling', claimed='claimed', value='value', year='evidence_year', series='series'
                ) }}
            when is_ceiling
                then {{ claim_part(
                    'beyond_ceiling', claimed='claimed', value='value', year='evidence_year', series='series'
                ) }}
            when tolerance > 0
                then {{ claim_part(
                    'measured_with_tolerance', series='series', value='value', year='evidence_year',
                    claimed='claimed_bound', tolerance='tolerance'
                ) }}
            else {{ claim_part(
                'measured', series='series', value='value', year='evidence_year', claimed='claimed_bound'
            ) }}
        end as outcome,
        case
            when result = 'no_data' and value is null and unknown_then is not null
                then {{ claim_part('unknown_then', series='unknown_then') }}
        end as unknown_series,
        case
            when result = 'no_suitable_series' and definition_match = 'different'
                then {{ claim_part('and_other_definition', definition='definition_note') }}
        end as other_definition,
        case
            when members_missing is not null
                then {{ claim_part('members_missing', members="string_split(members_missing, ', ')") }}
        end as without_figure,
        case
            when value_without_afg is not null then {{ claim_part('without_afg', value='value_without_afg') }}
        end as without_afg,
        case
            when result = 'contradicted' and not is_ceiling
                then {{ claim_part('true_of_no_year', deviation='abs(deviation)') }}
            when result <> 'supported_other_year' then null
            when nearest_true_year = evidence_year then {{ claim_part('true_in_that_year') }}
            when true_members_missing is null
                then {{ claim_part('true_in_year', year='nearest_true_year', value='true_value') }}
            else {{ claim_part(
                'true_in_year_without', year='nearest_true_year', value='true_value',
                members="string_split(true_members_missing, ', ')"
            ) }}
        end as true_year,
        case
            when result not in ('supported', 'supported_other_year', 'contradicted', 'below_ceiling') then null
            when year_basis = 'none' and role = 'value' and years_tested is null
                then {{ claim_part('no_year_stated_none_tested', first_year='window_from', last_year='window_to') }}
            when year_basis in ('none', 'context') and years_tested is null then {{ claim_part('no_year_stated') }}
            when year_basis in ('none', 'context')
                then {{ claim_part('no_year_stated_tested_on', years='years_tested') }}
            when years_tested is null then {{ claim_part('no_figure_of_year', year='last_year') }}
        end as year_note,
        case
            when result in ('supported_other_year', 'contradicted') and true_elsewhere is not null
                then {{ claim_part('true_of', member_years='true_elsewhere') }}
        end as true_of
    from named
)

select
    * exclude (years_tested, unknown_then),
    list_aggregate(years_tested, 'string_agg', ', ') as years_tested,
    list_aggregate(unknown_then, 'string_agg', ', ') as unknown_then,
    json_extract_string(outcome, '$.code') as reason_code,
    json_object(
        'code',
        case
            when kind = 'regional_mean' and role = 'baseline' then 'claim_test_of_variant_of_baseline'
            when kind = 'regional_mean' then 'claim_test_of_variant'
            when role = 'baseline' then 'claim_test_of_baseline'
            else 'claim_test'
        end,
        'operands',
        json_object(
            'variant', variant,
            'findings', list_filter(
                [
                    outcome, unknown_series, other_definition, without_figure, without_afg, true_year, year_note,
                    true_of
                ],
                lambda finding: finding is not null
            )
        )
    ) as reason
from found
