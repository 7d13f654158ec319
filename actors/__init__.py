"""The jobs that come with Callboard. Importing this package declares them all."""
