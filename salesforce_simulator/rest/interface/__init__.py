"""What a client builds pages of its own from: layouts, list views, tabs, recent records."""
