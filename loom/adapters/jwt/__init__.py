"""Bearer tokens: JSON Web Tokens by PyJWT."""
