"""The nodes by their ids. An id, once released, never changes; a title may."""

from . import host
from .decode import DCAEDecode
from .encode import LyricEncode, TagEncode
from .loaders import LoadACEStep
from .sampler import Sampler
from .settings import GuidanceNode, Schedule

host.register_folder()

NODE_CLASS_MAPPINGS = {
    "AceSuiteLoad": LoadACEStep,
    "AceSuiteTagEncode": TagEncode,
    "AceSuiteLyricEncode": LyricEncode,
    "AceSuiteGuidance": GuidanceNode,
    "AceSuiteSchedule": Schedule,
    "AceSuiteSampler": Sampler,
    "AceSuiteDCAEDecode": DCAEDecode,
}
NODE_DISPLAY_NAME_MAPPINGS = {name: node.TITLE for name, node in NODE_CLASS_MAPPINGS.items()}
