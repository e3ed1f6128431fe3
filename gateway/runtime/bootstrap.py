"""From a checked configuration to a gateway that can run: the one place where all parts meet."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path

from gateway.api.server import ApiServer
from gateway.api.services import Services
from gateway.api.signatures import Signatures
from gateway.domain.clock import in_milliseconds
from gateway.errors import StoreFull
from gateway.formats.canonical import Place
from gateway.pipeline import recording
from gateway.pipeline.intake import IntakeQueue
from gateway.pipeline.pipeline import Pipeline
from gateway.pipeline.writer import Writer
from gateway.ports import Clock, Sink
from gateway.runtime import plugins
from gateway.runtime.archiving import Archiving
from gateway.runtime.clock import SystemClock, WatchedClock
from gateway.runtime.clock_watch import ClockWatch
from gateway.runtime.devices import Devices
from gateway.runtime.disk_rules import Limits
from gateway.runtime.disk_watch import DiskWatch
from gateway.runtime.expiry_watch import ExpiryWatch
from gateway.runtime.gateway import Gateway
from gateway.runtime.health import HealthSource
from gateway.runtime.line_model import line_model
from gateway.runtime.local_token import make_local_token
from gateway.runtime.metrics import exposition
from gateway.runtime.own_metrics import OwnCollector
from gateway.runtime.retention import Retention
from gateway.runtime.supervisor import Supervisor
from gateway.runtime.verification import Verification, VerificationCollector
from gateway.settings.load import Config, load
from gateway.settings.unsafe import unsafe
from gateway.store.ballast import Ballast
from gateway.store.batch import ConsumerKey, ConsumerKind
from gateway.store.checkpoints import introduce
from gateway.store.log import PostingLog
from gateway.store.signing import SigningKey, parsed, signing_key
from gateway.store.store import Registration, Store
from gateway.store.views import Views
from gateway.sync.dispatcher import Dispatcher


def load_config(folder: Path, *, may_lack_users: bool = False) -> Config:
    """Return the checked configuration of a folder, with the drivers and sinks that are installed."""
    drivers = [plugin.settings for plugin in plugins.drivers().values()]
    sinks = [plugin.settings for plugin in plugins.sinks().values()]
    return load(folder, drivers, sinks, may_lack_users=may_lack_users)


@asynccontextmanager
async def open_gateway(config: Config, clock: Clock) -> AsyncIterator[Gateway]:
    """Open the store, load its state, put the configuration in force; close everything at the end.

    ConfigError when a sink's secret can't be read, StoreError when the store is in use or damaged,
    CommandRefused when a staging contradicts it.
    """
    async with AsyncExitStack() as stack:
        # Before the store is made: a secret that can't be had is a mistake of the configuration, too.
        sinks = _sinks(config, stack)
        ballast = Ballast(config.store_path, config.gateway.store.ballast)
        store, key = await _open_store_or_make_room(config, clock, ballast)
        stack.push_async_callback(store.close)
        log, views = await _open_to_read(config, stack)
        if isinstance(clock, WatchedClock):
            await clock.poll()  # or the first triggers would wait for the second question
        pipeline = await _pipeline(config, clock, store, log, ballast)
        supervisor = Supervisor()
        devices = Devices(pipeline, clock, supervisor)
        dispatchers = {
            one.sink: Dispatcher(one, sinks[one.sink], log, pipeline.commands) for one in config.gateway.sinks
        }
        disk = DiskWatch(config.store_path, _limits(config), views, pipeline, supervisor)
        health = HealthSource(pipeline, devices, dispatchers, disk, clock.now().wall, lambda: unsafe(gateway.config))
        verification = _verification(config, clock, store, key, pipeline)
        own = OwnCollector(disk), VerificationCollector(verification)
        local = make_local_token(config.store_path)
        services = Services(
            log=log,
            views=views,
            commands=pipeline.commands,
            clock=clock,
            health=health.report,
            metrics=exposition(pipeline, devices.health, views, *own),
            tokens=lambda: (*gateway.config.gateway.api.tokens, local),
            signatures=Signatures(config.gateway.api.users_file(config.root), clock),
            master=lambda: pipeline.writer.model.master,
        )
        api = ApiServer(config.gateway.api, services)
        gateway = Gateway(
            config=config,
            log=log,
            views=views,
            pipeline=pipeline,
            devices=devices,
            dispatchers=dispatchers,
            health=health,
            retention=_retention(config, clock, store, key, pipeline),
            verification=verification,
            api=api,
            supervisor=supervisor,
            disk_watch=disk,
            expiry_watch=ExpiryWatch(lambda: gateway.config, lambda: api.lives, pipeline, clock),
            heartbeat=clock.beat if isinstance(clock, SystemClock) else None,
            clock_watch=ClockWatch(clock, pipeline.commands) if isinstance(clock, WatchedClock) else None,
        )
        yield gateway


async def _open_to_read(config: Config, stack: AsyncExitStack) -> tuple[PostingLog, Views]:
    log = await PostingLog.open(config.store_path)
    stack.push_async_callback(log.close)
    views = await Views.open(config.store_path)
    stack.push_async_callback(views.close)
    return log, views


def _sinks(config: Config, stack: AsyncExitStack) -> dict[str, Sink]:
    sinks = {one.sink: plugins.sinks()[one.kind].create(one) for one in config.gateway.sinks}
    for sink in sinks.values():
        stack.push_async_callback(sink.close)
    return sinks


async def _open_store_or_make_room(config: Config, clock: Clock, ballast: Ballast) -> tuple[Store, SigningKey]:
    try:
        return await _open_store(config, clock)
    except StoreFull:
        ballast.free()  # then it can at least start, tell of it, and serve what it has
        return await _open_store(config, clock)


async def _open_store(config: Config, clock: Clock) -> tuple[Store, SigningKey]:
    """Open the store and its key; before anything is loaded, because a key that is new is chained."""
    store = await Store.open(config.store_path, config.gateway.gateway)
    now = in_milliseconds(clock.now().wall)
    try:
        await store.register(_readers(config), now)
        key = store_key(config)
        place = Place(store.gateway, store.store, now, clock.trust())
        await store.transact(lambda raw: introduce(raw, key, place, _told(key, place)))
    except BaseException:
        await store.close()
        raise
    return store, key


def _told(key: SigningKey, place: Place) -> list[tuple[str, bytes]]:
    """Return what a recording says of a key that is chained."""
    entry = recording.entry("key", {"key": key.id, "public": key.public})
    return [("tick", recording.dumped(recording.tick(place))), ("entry", recording.dumped(entry))]


def store_key(config: Config) -> SigningKey:
    """Return the key that signs checkpoints and copies: as configured, or the one beside the store, made if missing."""
    secret = config.gateway.store.signing_key
    return signing_key(config.store_path) if secret is None else parsed(secret.read().encode(), "store.signing_key")


def _limits(config: Config) -> Limits:
    settings = config.gateway.store
    return Limits(settings.budget, settings.wal_limit, settings.slow_commit)


def _verification(config: Config, clock: Clock, store: Store, key: SigningKey, pipeline: Pipeline) -> Verification:
    settings = config.gateway.store
    return Verification(store, key, clock, pipeline.commands, settings.verify_every, settings.verify_fully_every)


def _retention(config: Config, clock: Clock, store: Store, key: SigningKey, pipeline: Pipeline) -> Retention:
    archiving = Archiving(config.root, config.archive, pipeline.commands, key) if config.archive else None
    return Retention(store, clock, timedelta(seconds=config.gateway.retention.keep), archiving)


async def _pipeline(config: Config, clock: Clock, store: Store, log: PostingLog, ballast: Ballast) -> Pipeline:
    writer = await Writer.load(store, log, clock, line_model(config))
    settings = config.gateway.pipeline
    pipeline = Pipeline(writer, IntakeQueue(settings.queue), batch=settings.batch, ballast=ballast)
    await pipeline.commands.activate_now(writer.model)
    return pipeline


def _readers(config: Config) -> list[Registration]:
    """Return who reads the posting log, as configured: pullers by name, and the sinks."""
    pullers = [
        Registration(ConsumerKey(ConsumerKind.PULLER, one.consumer), one.required) for one in config.gateway.consumers
    ]
    return pullers + [
        Registration(ConsumerKey(ConsumerKind.SINK, one.sink), one.required) for one in config.gateway.sinks
    ]
