"""Key Management: vaults and the master encryption keys in them."""
