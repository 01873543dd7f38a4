"""What a run will take, from its config alone: jobs, disk, memory, operations and hours."""
