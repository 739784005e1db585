"""Questions about everybody: who can, what can, access reviews, differences."""
