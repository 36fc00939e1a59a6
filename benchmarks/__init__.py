"""What users would feel and pay, each figure beside its floor and its rivals in the same run."""
