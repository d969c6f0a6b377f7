-- What moves the ranks most, and what exactly is varied: weights, aggregation, goalposts, or one indicator?
from rank_sensitivity
order by framework_id, total_order_share desc, assumption;
