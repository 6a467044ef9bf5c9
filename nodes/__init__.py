"""The nodes by their ids. An id, once released, never changes; a title may."""

from . import host
from .boxes import AudioInpaint, AudioOutpaint, AudioToAudio, PromptToAudio, TextToAudio
from .decode import DCAEDecode, DCAEEncode
from .encode import LyricEncode, TagEncode, ToConditioning
from .from_manifest import FromManifest
from .loaders import LoadACEStep, LoadLoRA
from .manners import arrange
from .open_audio import OpenAudio
from .parameters import LoadParameters
from .players import PreviewAudio
from .sampler import Sampler
from .save import SaveAudio
from .settings import GuidanceNode, Schedule
from .setup import SetupCheck
from .tasks import AudioReference, Extend, InpaintMask, RemixEdit, Retake
from .visual import CompareTakes, MelView
from .words import LyricPreview, SongWriter, TagPresets

host.register_folder()
if host.IN_COMFYUI:  # only ComfyUI has what the routes are made of
    from .rest import routes as api
    from .rest import sounds

    api.register()
    sounds.register()

NODE_CLASS_MAPPINGS = {
    "AceSuiteLoad": LoadACEStep,
    "AceSuiteLoRA": LoadLoRA,
    "AceSuiteTagEncode": TagEncode,
    "AceSuiteLyricEncode": LyricEncode,
    "AceSuiteGuidance": GuidanceNode,
    "AceSuiteSchedule": Schedule,
    "AceSuiteSampler": Sampler,
    "AceSuiteInpaintMask": InpaintMask,
    "AceSuiteExtend": Extend,
    "AceSuiteRetake": Retake,
    "AceSuiteRemixEdit": RemixEdit,
    "AceSuiteAudioReference": AudioReference,
    "AceSuiteDCAEEncode": DCAEEncode,
    "AceSuiteDCAEDecode": DCAEDecode,
    "AceSuiteToConditioning": ToConditioning,
    "AceSuiteSaveAudio": SaveAudio,
    "AceSuitePreviewAudio": PreviewAudio,
    "AceSuiteMelView": MelView,
    "AceSuiteCompareTakes": CompareTakes,
    "AceSuiteSongWriter": SongWriter,
    "AceSuiteLyricPreview": LyricPreview,
    "AceSuiteTagPresets": TagPresets,
    "AceSuiteSetupCheck": SetupCheck,
    "AceSuiteLoadParameters": LoadParameters,
    "AceSuiteTextToAudio": TextToAudio,
    "AceSuitePromptToAudio": PromptToAudio,
    "AceSuiteAudioToAudio": AudioToAudio,
    "AceSuiteAudioInpaint": AudioInpaint,
    "AceSuiteAudioOutpaint": AudioOutpaint,
    "AceSuiteFromManifest": FromManifest,
    "AceSuiteOpenAudio": OpenAudio,
}
arrange(NODE_CLASS_MAPPINGS)
NODE_DISPLAY_NAME_MAPPINGS = {name: node.TITLE for name, node in NODE_CLASS_MAPPINGS.items()}
