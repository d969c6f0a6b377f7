-- The figures of every test, of all members and years, one macro a kind.
{{ claim_figures_value() }}
union all by name
{{ claim_figures_change() }}
union all by name
{{ claim_figures_direction() }}
union all by name
{{ claim_figures_rank_in_group() }}
union all by name
{{ claim_figures_regional_mean() }}
union all by name
{{ claim_figures_product('product') }}
union all by name
{{ claim_figures_ceiling() }}
