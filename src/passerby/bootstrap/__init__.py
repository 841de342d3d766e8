"""The one place where adapters are constructed and handed to the runtime.

`serving` runs one process, in stages: `files`, `listeners`, the stores (`start`, `stores`), and then one worker after
another. `webhook_admin` is for `passerby webhook`. `file_guard` watches the files while the process runs. `duties`
adds what one worker does for all.
"""
