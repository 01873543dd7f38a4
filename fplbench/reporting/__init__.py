"""Tables, statistics, figures and the report, all derived from the long table of scores."""
