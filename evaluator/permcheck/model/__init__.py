"""What files, estates, policy and decisions are made of."""
