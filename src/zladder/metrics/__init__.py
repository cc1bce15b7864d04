"""Every point metric of the ladder by its id, with conventions and intervals."""
