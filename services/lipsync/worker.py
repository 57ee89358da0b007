"""Settings go in, a worker that can be served comes out."""

from __future__ import annotations

from visavis.rpc.server import Service
from visavis.v1 import lipsync_pb2, lipsync_pb2_grpc

from services.lipsync.animation import Animator
from services.lipsync.gallery import Gallery
from services.lipsync.manifests import ModelError
from services.lipsync.networks import load_networks
from services.lipsync.portrait.building import PortraitBuilder
from services.lipsync.servicer import LipsyncServicer
from services.lipsync.sessions import execution_providers
from services.lipsync.settings import LipsyncSettings


def lipsync_service(settings: LipsyncSettings) -> Service:
    """The worker that `settings` describe. Networks are loaded here, the default avatar while it prepares.

    Raises:
        ModelError: a network, an avatar or a provider that the settings name cannot be used.
    """
    providers = execution_providers(settings.providers.split(","))
    shipped = settings.models_dir / "networks"
    networks = load_networks(
        [shipped, settings.networks_dir] if settings.networks_dir else [shipped], providers
    )
    if settings.network not in networks:
        raise ModelError(
            f"LIPSYNC_NETWORK names {settings.network}, but there is no such network. "
            f"Take {' or '.join(sorted(networks))}."
        )
    gallery = Gallery(
        settings.models_dir,
        settings.avatar,
        providers,
        loaded_max=settings.loaded_avatars,
        loop_bytes=settings.loop_bytes,
        upload_seconds=settings.upload_seconds,
        max_bundle_bytes=settings.max_bundle_bytes,
    )
    animator = Animator(
        gallery,
        networks,
        settings.network,
        settings.slots,
        max_seconds=settings.max_utterance_seconds,
        upload_seconds=settings.upload_seconds,
    )
    portraits = PortraitBuilder(upload_seconds=settings.upload_seconds, build_seconds=settings.build_seconds)
    servicer = LipsyncServicer(animator, gallery, portraits, upload_seconds=settings.upload_seconds)

    async def close() -> None:
        await animator.close()
        portraits.close()
        gallery.close()

    return Service(
        full_name=lipsync_pb2.DESCRIPTOR.services_by_name["LipsyncService"].full_name,
        register=lambda server: lipsync_pb2_grpc.add_LipsyncServiceServicer_to_server(servicer, server),
        prepare=animator.warm_up,
        close=close,
    )
