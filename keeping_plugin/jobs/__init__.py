"""RQ, and nothing but: the doorbell, its five jobs and the worker that answers them."""
