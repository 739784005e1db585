"""Every check, one file each."""
