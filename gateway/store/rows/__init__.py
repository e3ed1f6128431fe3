"""The members of a batch as rows of their tables."""
