"""Everything that uses the internet: data sets, the sample and published weights. Only `fplbench fetch` calls it."""
