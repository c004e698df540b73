"""Project package and composition root: the only place that knows everyone."""
