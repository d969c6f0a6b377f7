-- Which indicators matter more, or less, than their weight says, among all economies and among members?
select
    subject as indicator_id,
    max(value) filter (statistic = 'nominal_weight') as nominal_weight,
    max(value) filter (statistic = 'effective_weight' and population = 'economies') as effective_weight,
    max(value) filter (statistic = 'effective_weight' and population = 'members') as effective_weight_members,
    max(value) filter (statistic = 'left_out_max_change' and population = 'members') as left_out_max_change_members
from statistical_audit
where framework_id = 'carec_2030' and (other_subject = 'indicator' or statistic = 'left_out_max_change')
group by subject
order by effective_weight_members desc, indicator_id;
