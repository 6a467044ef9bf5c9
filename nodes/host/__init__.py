"""The only folder that touches ComfyUI: its files, memory, progress bar, errors and queue.

    nodes -> host -> comfy.*, folder_paths, server

Everything here also answers without ComfyUI, so that the nodes run in tests and scripts:
lists are empty then, networks stay where they were loaded, progress goes nowhere.
"""

from .errors import (
    errors_of,
)
from .folders import (
    FOLDER,
    input_file,
    input_folder,
    is_metadata_wanted,
    mark_of,
    model_files,
    model_folders,
    models_folder,
    output_place,
    path_of,
    register_folder,
    sound_folders,
    user_file,
    vocabulary_places,
)
from .found import (
    IN_COMFYUI,
)
from .memory import (
    HostPart,
    HostPlacing,
    handed_on,
    has_room,
    memory_free,
    placement,
    with_adapter,
)
from .progress import (
    PREVIEW,
    Bar,
    Picture,
    is_preview_wanted,
    is_watched,
    stop_if_asked,
)

__all__ = [
    "FOLDER",
    "IN_COMFYUI",
    "PREVIEW",
    "Bar",
    "HostPart",
    "HostPlacing",
    "Picture",
    "errors_of",
    "handed_on",
    "has_room",
    "input_file",
    "input_folder",
    "is_metadata_wanted",
    "is_preview_wanted",
    "is_watched",
    "mark_of",
    "memory_free",
    "model_files",
    "model_folders",
    "models_folder",
    "output_place",
    "path_of",
    "placement",
    "register_folder",
    "sound_folders",
    "stop_if_asked",
    "user_file",
    "vocabulary_places",
    "with_adapter",
]
