"""What every training shares: losses, scaling, the loop, interruption."""
