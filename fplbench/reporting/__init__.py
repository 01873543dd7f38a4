"""Tables, statistics, figures and the report. Everything derives from the long table of scores."""
