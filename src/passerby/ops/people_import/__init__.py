"""`passerby import`: people from a file, or from the database of the Node program AnonStrangerChatbot.

`incoming` is one person as another program knew them, and what is wrong with them. `files` reads CSV and JSON lines,
`stranger_chatbot` that database. `import_run` judges everybody and writes those who are taken in.
"""
