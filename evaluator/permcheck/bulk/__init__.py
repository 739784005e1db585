"""Every answer of an estate at once, exactly: users and devices that are alike are asked once."""
