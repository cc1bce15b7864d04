"""What the loopback archive serves: a small mock sky in the native formats of the real archives.

The mock sky's own writers make the tables and the images. Here is only what they lack: the joins
that an archive makes on its side, its way of writing an answer, its names and folders.
"""
