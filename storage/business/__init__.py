"""The statements that the jobs of the five systems make, a file for each area."""
