"""The shipped workflows, written from short descriptions.

    python -m scripts.workflows            every workflow, as a page and as /prompt takes it
    python -m scripts.workflows --check    writes nothing; fails where a file is not as described
    python -m scripts.workflows --cards    the pictures of the template browser

    catalogue -> model.Workflow -> layout (places, groups) -> form -> workflows/FILE.json
                                                                      workflows/api/NAME.json

Inputs, their order and defaults are read from the nodes; ComfyUI's own stand in comfy_nodes.
"""
