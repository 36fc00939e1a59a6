"""RQ, and nothing but: the doorbell, its four jobs and the worker that answers them."""
