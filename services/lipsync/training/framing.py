"""Nothing in; where things lie in an avatar's pictures out, in pixels with the origin at the top left."""

from dataclasses import dataclass

FPS = 25
FRAME_PX = 512
MARGIN_PX = 24  # rendered on every side of a frame, so that sway never shows a border
RENDER_PX = FRAME_PX + 2 * MARGIN_PX


@dataclass(frozen=True)
class Box:
    """A rectangle of pixels: its top left corner and its size."""

    x: int
    y: int
    width: int
    height: int

    @property
    def rows(self) -> slice:
        """Rows to index a picture with."""
        return slice(self.y, self.y + self.height)

    @property
    def columns(self) -> slice:
        """Columns to index a picture with."""
        return slice(self.x, self.x + self.width)


MOUTH_PX = 160
MOUTH = Box(200, 258, MOUTH_PX, MOUTH_PX)  # in the render; holds the chin at full jaw opening
EYES = Box(180, 176, 200, 84)  # in the render; holds lids and brows
FACE = Box(150, 88, 212, 278)  # in the resting frame
