"""What there is and what fits: plot formats, disks, jobs and placement. Pure."""
