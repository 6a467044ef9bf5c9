"""The hosted services' requests, answered by one's own ComfyUI.

    body -> requests (checked) -> sources (audio as a file) -> graphs (a graph) -> jobs -> queue
    id   -> jobs -> records (the answer the services give)

What they take stands in parameters.py and nowhere else. HTTP itself is in nodes/rest; nothing
here knows ComfyUI, which is behind the two classes of queue.py.
"""
