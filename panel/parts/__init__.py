"""Parts of pages: each puts one thing on the page, from reads, and leaves actions to `actions`."""
