"""What two people go through in a chat, told by what their phones show; over every store, on one bot and across two."""
