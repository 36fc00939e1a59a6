"""What every page shares: who may come in, errors, headers and what a form sends."""
