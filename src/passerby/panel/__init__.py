"""The operators' panel: pages that show how it is, and forms whose acts staff deciders decide. See ADR 32."""
