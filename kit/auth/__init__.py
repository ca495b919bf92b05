"""Credentials: user tokens, internal identity, grants."""

import warnings

from joserfc.errors import SecurityWarning

# RFC 9864 renames EdDSA to Ed25519, but issuers and Envoy's jwt_authn speak the old name.
warnings.filterwarnings("ignore", message="EdDSA is deprecated", category=SecurityWarning)
