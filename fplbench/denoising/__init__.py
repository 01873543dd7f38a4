"""What runs the methods: their registry, running them on stacks, tuning, columns of the tables, cost."""
