"""The model of the farm: plot formats, disks, jobs and placement. Pure."""
