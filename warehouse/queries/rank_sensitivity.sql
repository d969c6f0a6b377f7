-- What moves the ranks most: weights, aggregation, normalisation, origin, or one indicator?
from rank_sensitivity
order by all;
