"""Reviews of many tenants, and of one in parts: what is asked, who runs it, one set of files."""
