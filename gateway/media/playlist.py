"""A reply's fragments go in, an HLS playlist comes out that players may load while it grows (RFC 8216)."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.reply.events import FragmentEvent

# The longest fragment has 48 frames: 1.92 s. It must not change while the playlist grows.
TARGET_SECONDS = 2


def playlist(fragments: Sequence[FragmentEvent], *, ended: bool, query: str = "") -> str:
    """An EVENT playlist of CMAF fragments; addresses are relative to the reply's own, `query` behind each."""
    lines = [
        "#EXTM3U",
        "#EXT-X-VERSION:7",
        f"#EXT-X-TARGETDURATION:{TARGET_SECONDS}",
        "#EXT-X-MEDIA-SEQUENCE:0",
        "#EXT-X-PLAYLIST-TYPE:EVENT",
        "#EXT-X-INDEPENDENT-SEGMENTS",
        # Players would else join a growing playlist at its end.
        "#EXT-X-START:TIME-OFFSET=0,PRECISE=YES",
        f'#EXT-X-MAP:URI="init.mp4{query}"',
    ]
    for fragment in fragments:
        lines += [f"#EXTINF:{fragment.duration_seconds:.3f},", f"{fragment.index}.m4s{query}"]
    if ended:
        lines.append("#EXT-X-ENDLIST")
    return "\n".join(lines) + "\n"
