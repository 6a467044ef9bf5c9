"""ComfyUI's entry: it reads the two mappings and the web folder from here.

ComfyUI loads the pack under a name made from its path, so everything inside is imported
relatively. Tools that meet this file alone (pytest, linters) give it no package.
"""

if __package__:
    from .nodes import NODE_CLASS_MAPPINGS, NODE_DISPLAY_NAME_MAPPINGS

    __all__ = ["NODE_CLASS_MAPPINGS", "NODE_DISPLAY_NAME_MAPPINGS", "WEB_DIRECTORY"]

WEB_DIRECTORY = "./web"
