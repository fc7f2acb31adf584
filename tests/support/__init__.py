"""What tests share: farms in a folder, services that answer, logs, jobs, inventories."""
