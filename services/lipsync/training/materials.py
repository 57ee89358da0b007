"""Texture files in, Cycles materials out: skin, hair, eyes, teeth, cloth. Lengths in decimetres.

The core textures are 512 px, so whatever must look crisp (pores, blotches, lip red) is procedural on top.
"""

from pathlib import Path
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from services.lipsync.training.identity import Colour, Hair, Skin

_EYE_TINT: Colour = (0.88, 0.95, 0.97)
_UNGREYED: Colour = (0.018, 0.014, 0.012)
_FADING = 0.35  # share of the strands that are neither dark nor grey yet
_STUBBLE: Colour = (0.075, 0.06, 0.055)
MOUTH_LINING: Colour = (0.20, 0.045, 0.042)


class _Graph:
    """A material's node tree with a Principled shader, and short ways to add to it."""

    def __init__(self, name: str) -> None:
        self.material = bpy.data.materials.new(name)
        self.material.use_nodes = True
        self.tree = self.material.node_tree
        self.shader = self.tree.nodes["Principled BSDF"]
        self.output = self.tree.nodes["Material Output"]

    def node(self, kind: str, **properties: Any) -> Any:
        node = self.tree.nodes.new(kind)
        for name, value in properties.items():
            setattr(node, name, value)
        return node

    def link(self, source: Any, target: Any) -> None:
        self.tree.links.new(source, target)

    def texture(self, file: Path) -> Any:
        image = bpy.data.images.load(str(file), check_existing=True)
        return self.node("ShaderNodeTexImage", image=image, interpolation="Cubic")

    def noise(self, scale: float, detail: float) -> Any:
        node = self.node("ShaderNodeTexNoise")
        node.inputs["Scale"].default_value = scale
        node.inputs["Detail"].default_value = detail
        self.link(self.node("ShaderNodeTexCoord").outputs["Object"], node.inputs["Vector"])
        return node.outputs["Fac"]

    def ranged(self, value: Any, low: float, high: float) -> Any:
        """A noise value (mostly 0.3..0.7) mapped to low..high."""
        node = self.node("ShaderNodeMapRange")
        for name, number in (("From Min", 0.3), ("From Max", 0.7), ("To Min", low), ("To Max", high)):
            node.inputs[name].default_value = number
        self.link(value, node.inputs["Value"])
        return node.outputs["Result"]

    def mixed(self, share: Any, first: Any, second: Colour, blend: str = "MIX") -> Any:
        """Colour `first` blended with the constant `second`; `share` is a number or a socket."""
        node = self.node("ShaderNodeMix", data_type="RGBA", blend_type=blend)
        if isinstance(share, float):
            node.inputs["Factor"].default_value = share
        else:
            self.link(share, node.inputs["Factor"])
        self.link(first, node.inputs["A"])
        node.inputs["B"].default_value = (*second, 1)
        return node.outputs["Result"]

    def scaled(self, colour: Any, factor: Any) -> Any:
        node = self.node("ShaderNodeVectorMath", operation="SCALE")
        self.link(colour, node.inputs[0])
        self.link(factor, node.inputs["Scale"])
        return node.outputs["Vector"]

    def times(self, value: Any, factor: float) -> Any:
        node = self.node("ShaderNodeMath", operation="MULTIPLY")
        self.link(value, node.inputs[0])
        node.inputs[1].default_value = factor
        return node.outputs["Value"]

    def product(self, first: Any, second: Any) -> Any:
        node = self.node("ShaderNodeMath", operation="MULTIPLY")
        self.link(first, node.inputs[0])
        self.link(second, node.inputs[1])
        return node.outputs["Value"]

    def vertex_share(self, name: str) -> Any:
        return self.node("ShaderNodeAttribute", attribute_name=name).outputs["Fac"]

    def set(self, **inputs: float) -> None:
        """Principled inputs by name with underscores for spaces."""
        for name, value in inputs.items():
            self.shader.inputs[name.replace("_", " ")].default_value = value


def opacity(texture: Path) -> NDArray[np.float32]:
    """(h,w) the texture's alpha 0..1, its first row at v = 0."""
    image = bpy.data.images.load(str(texture), check_existing=True)
    width, height = image.size
    values = np.empty(width * height * 4, np.float32)
    image.pixels.foreach_get(values)
    return values.reshape(height, width, 4)[..., 3]


def skin(texture: Path, looks: Skin) -> Any:
    """Skin with vertex shares `lips`, `cavity`, `sockets` and `beard`."""
    graph = _Graph("skin")
    rested = graph.node("ShaderNodeHueSaturation")
    rested.inputs["Saturation"].default_value = looks.socket_saturation
    graph.link(graph.vertex_share("sockets"), rested.inputs["Fac"])
    graph.link(graph.texture(texture).outputs["Color"], rested.inputs["Color"])
    tone = graph.mixed(1.0, rested.outputs["Color"], looks.tint, "MULTIPLY")
    tone = graph.scaled(tone, graph.ranged(graph.noise(7, 8), 0.93, 1.05))
    if looks.stubble:
        hairs = graph.ranged(graph.noise(70, 2), 0.35 * looks.stubble, looks.stubble)
        tone = graph.mixed(graph.product(graph.vertex_share("beard"), hairs), tone, _STUBBLE)
    lips = graph.vertex_share("lips")
    tone = graph.mixed(graph.times(lips, looks.lip_share), tone, looks.lip_red)
    cavity = graph.vertex_share("cavity")
    tone = graph.mixed(cavity, tone, MOUTH_LINING)
    graph.link(tone, graph.shader.inputs["Base Color"])
    graph.set(Subsurface_Weight=0.25, Subsurface_Scale=0.035, Specular_IOR_Level=0.38)
    graph.shader.inputs["Subsurface Radius"].default_value = (1.0, 0.38, 0.2)
    rough = graph.node("ShaderNodeMix", data_type="FLOAT")
    rough.inputs["A"].default_value, rough.inputs["B"].default_value = 0.52, 0.36
    graph.link(lips, rough.inputs["Factor"])
    graph.link(rough.outputs["Result"], graph.shader.inputs["Roughness"])
    bump = graph.node("ShaderNodeBump")
    bump.inputs["Strength"].default_value, bump.inputs["Distance"].default_value = 0.22, 0.01
    graph.link(graph.noise(48, 5), bump.inputs["Height"])
    graph.link(bump.outputs["Normal"], graph.shader.inputs["Normal"])
    return graph.material


def textured(
    texture: Path,
    tint: Colour,
    roughness: float,
    *,
    coat: float = 0.0,
    glow: float = 0.0,
    opacity: float | None = None,
    shade: str = "",
) -> Any:
    """A tinted texture; `coat` weighs a wet layer, `glow` is light from within, vertex `shade` darkens.

    `opacity` cuts out what the texture's alpha leaves clear, and thins the rest: 1 is as painted.
    """
    graph = _Graph(texture.stem)
    image = graph.texture(texture)
    colour = graph.mixed(1.0, image.outputs["Color"], tint, "MULTIPLY")
    if shade:
        colour = graph.mixed(graph.vertex_share(shade), colour, MOUTH_LINING, "MULTIPLY")
    graph.link(colour, graph.shader.inputs["Base Color"])
    graph.link(colour, graph.shader.inputs["Emission Color"])
    if opacity is not None:
        graph.link(graph.times(image.outputs["Alpha"], opacity), graph.shader.inputs["Alpha"])
    graph.set(
        Roughness=roughness,
        Coat_Weight=coat,
        Coat_Roughness=0.08,
        Specular_IOR_Level=0.3,
        Emission_Strength=glow,
    )
    return graph.material


def eyes(texture: Path) -> Any:
    """Iris and white from the texture; where that is transparent lies the cornea, clear and glossy."""
    graph = _Graph("eyes")
    image = graph.texture(texture)
    graph.link(
        graph.mixed(1.0, image.outputs["Color"], _EYE_TINT, "MULTIPLY"),
        graph.shader.inputs["Base Color"],
    )
    graph.set(Roughness=0.25, Coat_Weight=1.0, Coat_Roughness=0.02, Specular_IOR_Level=0.2)
    fresnel = graph.node("ShaderNodeFresnel")
    fresnel.inputs["IOR"].default_value = 1.38
    cornea = graph.node("ShaderNodeMixShader")
    graph.link(fresnel.outputs["Fac"], cornea.inputs[0])
    graph.link(graph.node("ShaderNodeBsdfTransparent").outputs[0], cornea.inputs[1])
    gloss = graph.node("ShaderNodeBsdfGlossy")
    gloss.inputs["Roughness"].default_value = 0.02
    graph.link(gloss.outputs[0], cornea.inputs[2])
    both = graph.node("ShaderNodeMixShader")
    graph.link(image.outputs["Alpha"], both.inputs[0])
    graph.link(cornea.outputs[0], both.inputs[1])
    graph.link(graph.shader.outputs[0], both.inputs[2])
    graph.link(both.outputs[0], graph.output.inputs["Surface"])
    return graph.material


def strands(hair: Hair) -> Any:
    """Hair fibres (Chiang model) with the pigment of `hair`."""
    graph = _Graph("strands")
    fibre = graph.node("ShaderNodeBsdfHairPrincipled", model="CHIANG")
    # A node has inputs only for its own parametrization.
    if hair.greyed:
        fibre.parametrization = "COLOR"
        pigment: dict[str, float] = {}
        graph.link(_salted(graph, hair.greyed, hair.greyed_share), fibre.inputs["Color"])
    else:
        fibre.parametrization = "MELANIN"
        pigment = {"Melanin": hair.melanin, "Melanin Redness": hair.redness, "Random Color": 0.25}
    surface = {"Roughness": 0.38, "Radial Roughness": 0.5, "Random Roughness": 0.2, "Coat": 0.0}
    for name, value in (pigment | surface).items():
        fibre.inputs[name].default_value = value
    graph.link(fibre.outputs[0], graph.output.inputs["Surface"])
    return graph.material


def _salted(graph: _Graph, greyed: Colour, share: float) -> Any:
    """The colour of each strand: `greyed` for a `share` of them, dark for the others, few in between."""
    grey = graph.node("ShaderNodeMapRange")
    grey.inputs["From Min"].default_value = 1 - share - _FADING / 2
    grey.inputs["From Max"].default_value = 1 - share + _FADING / 2
    graph.link(graph.node("ShaderNodeHairInfo").outputs["Random"], grey.inputs["Value"])
    dark = graph.node("ShaderNodeRGB")
    dark.outputs[0].default_value = (*_UNGREYED, 1)
    return graph.mixed(grey.outputs["Result"], dark.outputs[0], greyed)


def cloth(colour: Colour, neckline: float) -> Any:
    """A knitted shirt, cut off above the plane height + 0.55 × front = `neckline`, with a collar below it."""
    graph = _Graph("cloth")
    split = graph.node("ShaderNodeSeparateXYZ")
    graph.link(graph.node("ShaderNodeTexCoord").outputs["Object"], split.inputs[0])
    level = graph.node("ShaderNodeMath", operation="MULTIPLY_ADD")
    level.inputs[1].default_value = -0.55
    graph.link(split.outputs["Y"], level.inputs[0])
    graph.link(split.outputs["Z"], level.inputs[2])
    below = graph.node("ShaderNodeMath", operation="LESS_THAN")
    below.inputs[1].default_value = neckline
    graph.link(level.outputs[0], below.inputs[0])
    graph.link(below.outputs[0], graph.shader.inputs["Alpha"])
    collar = graph.node("ShaderNodeMath", operation="GREATER_THAN")
    collar.inputs[1].default_value = neckline - 0.13
    graph.link(level.outputs[0], collar.inputs[0])
    plain = graph.node("ShaderNodeRGB")
    plain.outputs[0].default_value = (*colour, 1)
    darker = tuple(0.6 * value for value in colour)
    shade = graph.mixed(collar.outputs[0], plain.outputs[0], (darker[0], darker[1], darker[2]))
    graph.link(
        graph.scaled(shade, graph.ranged(graph.noise(60, 3), 0.85, 1.12)), graph.shader.inputs["Base Color"]
    )
    graph.set(Roughness=0.9, Specular_IOR_Level=0.12, Sheen_Weight=0.25)
    return graph.material
