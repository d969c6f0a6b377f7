-- The parameters of the method as the columns of one row, so that the build shows a missing one.
select
    max(value) filter (where parameter = 'baseline_window_years') as baseline_window_years,
    max(value) filter (where parameter = 'min_trend_points') as min_trend_points,
    max(value) filter (where parameter = 'projection_horizon_years') as projection_horizon_years,
    max(value) filter (where parameter = 'logit_share_limit') as logit_share_limit,
    max(value) filter (where parameter = 'noise_z') as noise_z,
    max(value) filter (where parameter = 'backtest_window_years') as backtest_window_years,
    max(value) filter (where parameter = 'backtest_horizon_years') as backtest_horizon_years,
    max(value) filter (where parameter = 'status_horizon_years') as status_horizon_years,
    max(value) filter (where parameter = 'calibration_min_windows') as calibration_min_windows,
    max(value) filter (where parameter = 'interval_coverage') as interval_coverage,
    max(value) filter (where parameter = 'default_trend_kept') as default_trend_kept,
    max(value) filter (where parameter = 'few_points_below') as few_points_below,
    max(value) filter (where parameter = 'min_scenarios') as min_scenarios,
    max(value) filter (where parameter = 'geometric_floor') as geometric_floor,
    max(value) filter (where parameter = 'history_from') as history_from,
    max(value) filter (where parameter = 'recommended_indicators') as recommended_indicators,
    max(value) filter (where parameter = 'recommended_pace_factor') as recommended_pace_factor,
    max(value) filter (where parameter = 'coverage_gate') as coverage_gate,
    max(value) filter (where parameter = 'coverage_tolerance') as coverage_tolerance,
    max(value) filter (where parameter = 'min_common_weight') as min_common_weight
from {{ ref('scoring_parameters') }}
