"""No security: nobody is known, and whatever does not require a caller is open."""
