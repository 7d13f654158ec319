"""One file per migration, in the order that each names."""
