"""The packaged function, killed (SIGKILL) while it delivers on every channel, and two copies of it on one table: nothing is lost, and what
comes twice is counted.

`KILLS=200 SEED=7 .venv/test/bin/python -B -m pytest -s tests/stack/test_kill.py` for a long run of another seed.
"""

import os
import random
import time
from collections import Counter

import pytest
from conftest import fresh
from copies import CHANNELS, FIND_THEIR_OWN, TIMEOUT, TOPICS, Vendors, World, key_of

KILLS = int(os.environ.get("KILLS", "8"))
SEED = os.environ.get("SEED", "kill")


@pytest.fixture
def world(aws, bootstrap, tmp_path, request):
    with Vendors() as vendors:
        world = World(aws, vendors, tmp_path, lineage=getattr(request, "param", None) == "lineage")
        try:
            yield world
        finally:
            world.close()
        assert vendors.problems == []


class Killer:
    """Gives events to a copy of the function that it kills a moment later."""

    def __init__(self, world: World, seed: str, took: float, asks: int):
        self.world, self.chance, self.took, self.asks = world, random.Random(seed), took, asks
        self.killed, self.gap, self.ended = [], set(), 0

    def kill(self, copy, event: dict):
        vendors = self.world.vendors
        copy.kill()
        vendors.forget_what_was_asked()
        copy.start(event)
        # In half of the runs anywhere; in the others around an answer of a vendor's, where it matters most.
        if self.chance.random() < 0.5:
            time.sleep(self.chance.random() * 1.2 * self.took)
        else:
            for _ in range(self.chance.randrange(self.asks) + 1):
                if not vendors.asked.acquire(timeout=self.took):
                    break  # nothing is sent
            time.sleep(self.chance.random() * 0.06)
        self.ended += not copy.answers.empty()
        copy.kill()
        self.killed.append(event)
        time.sleep(0.05)  # what the vendors are at, they finish
        self.gap |= set(self.world.taken()) - self.world.done()


@pytest.mark.parametrize("world", ["alerts", "lineage"], indirect=True)
def test_killed_at_any_point_it_loses_nothing(world):
    copy, took, kills = world.copy(), [], (KILLS + 1) // 2
    openers = [world.event() for _ in range(max(3, kills // 2))]
    for event in openers:
        if len(took) < 3:
            copy.kill()
        begun = time.monotonic()
        copy.invoke(event)
        took.append(time.monotonic() - begun)
        copy.invoke(world.issued(event))
    expected = {(channel, key_of(event)) for channel in CHANNELS for event in openers}
    world.drain(copy, expected)
    spared = Counter(world.taken())
    assert spared == Counter(expected)

    asks = len(world.vendors.refused) // len(openers) + 2 * len(CHANNELS)
    killer, worse = Killer(world, SEED, max(took[:3]), asks), []
    for number in range(kills):
        # Every other one is told of where that which opened its alert was.
        if number % 2:
            worse.append((openers[number // 2], world.worse(openers[number // 2])))
        killer.kill(copy, worse[-1][1] if number % 2 else world.event())
    before = len(set(world.taken())) - len(spared)
    time.sleep(TIMEOUT + 5.5)  # until every claim has ended
    for event in killer.killed:  # Lambda tries again
        copy.invoke(event)
    expected |= {(channel, key_of(event)) for channel in CHANNELS for event in killer.killed}
    redelivered = world.drain(copy, expected)

    copies = Counter(world.taken())
    twice = {delivery for delivery, times in copies.items() if times > 1}
    gap = killer.gap
    print(
        f"seed {SEED}, {'lineage' if world.lineage else 'alerts'}, {kills} kills ({killer.ended} after the answer): of {len(CHANNELS) * kills} messages on {len(CHANNELS)} channels {before} had "
        f"been taken before the kill, {len(gap)} of them with nobody having noted it; after the retry ({redelivered} messages through the queue) "
        f"{len(copies) - len(spared)} have arrived, {len(twice)} of them twice, {sum(t > 2 for t in copies.values())} more often"
    )
    assert expected - set(copies) == set(), "a message is lost"
    assert set(copies) == expected == world.done()
    assert twice <= gap, "a message came twice although its delivery had been noted"
    assert all(times <= 2 for times in copies.values())
    assert not [
        (channel, key) for channel, key in twice if channel in FIND_THEIR_OWN and key not in [key_of(event) for _, event in worse]
    ], "a ticket was opened although it was there"
    assert_told_where_its_alert_is(world, worse)


def assert_told_where_its_alert_is(world, worse):
    """Each is in the ticket, the thread or the alert of the event before it."""
    for channel in set(CHANNELS) - set(TOPICS):
        kept = world.kept(channel)
        assert len({one.alert for one in kept}) == len(kept), f"{channel} has two for one alert"
        # PagerDuty notifies nobody of what joins an incident that was acknowledged: each rise of one of ours has a key of its own.
        has_own_key = world.lineage and channel == "pagerduty"
        for opener, event in worse if kept and not has_own_key else []:
            [place] = [one for one in kept if key_of(opener) in one.messages]
            assert key_of(event) in place.messages, f"{channel}: {place}"
    keeping = [channel for channel in CHANNELS if world.kept(channel)]
    assert sorted(set(CHANNELS) - set(keeping)) == sorted([*TOPICS, "slack-webhook", "teams"])


def test_killed_while_a_silence_begins_it_holds_back_nothing_that_nobody_was_told_of(world):
    copy, begun = world.copy(), time.monotonic()
    copy.invoke(world.event("StopInstances"))
    killer = Killer(world, f"{SEED} silences", time.monotonic() - begun, 2 * len(CHANNELS))
    spared, silences, held_back = len(world.taken()), {}, set()
    assert spared == len(CHANNELS)
    for number in range(max(3, KILLS // 3)):
        first = world.event("StopInstances")
        # Sometimes it is only silenced while its first message is on its way; that is then told without a word of the silence.
        is_late = number % 3 == 2
        if is_late:
            killer.kill(copy, first)
        id = world.silence(first)
        events = [first, fresh(first), fresh(first)]
        silences |= {key_of(event, "QUIET"): id for event in events}
        for event in events[is_late:]:
            killer.kill(copy, event)
            silenced = world.done("silenced")
            assert_held_back_rightly(world, silenced, silences)
            held_back |= silenced
    time.sleep(TIMEOUT + 5.5)  # until every claim has ended
    copy.kill()  # what one process knows of silences is a minute old
    for event in killer.killed:  # Lambda tries again
        copy.invoke(event)
    deliveries = {(channel, key) for channel in CHANNELS for key in silences}
    redelivered = world.drain(copy, deliveries)
    copies, silenced = Counter(world.taken()), world.done("silenced")
    assert_held_back_rightly(world, silenced, silences)
    assert held_back <= silenced
    twice = {delivery for delivery, times in copies.items() if times > 1}
    told = set(copies) & deliveries
    print(
        f"seed {SEED}, {len(killer.killed)} kills with {len(set(silences.values()))} silences: of {len(deliveries)} messages {len(told)} "
        f"have arrived ({redelivered} through the queue), {len(twice)} of them twice, and {len(silenced)} are held back, {len(held_back)} before the retry"
    )
    assert deliveries - told - silenced == set(), "a message is lost"
    assert told <= world.done() and twice <= killer.gap
    assert held_back, "no silence has begun before the retry"
    # From now on, each silence holds back everywhere.
    for event in {silences[key_of(event, "QUIET")]: event for event in killer.killed}.values():
        assert copy.invoke(fresh(event))["deliveries"]["silenced"] == len(CHANNELS)


def assert_held_back_rightly(world, silenced, silences):
    """What is held back on a channel is so by a silence that a message there names, and that message's delivery has been noted."""
    done, texts = world.done(), world.vendors.texts
    for channel, key in silenced:
        named = [k for c, k in done if c == channel and silences.get(k) == silences[key] and silences[key] in texts.get((c, k), "")]
        assert named, f"{channel} was told nothing of the silence {silences[key]}, which holds back {key}"


def test_two_copies_on_one_table_send_each_alert_once(world):
    copies = [world.copy(), world.copy()]
    events = [world.event() for _ in range(4)]
    pairs = [(event, world.worse(event)) for event in events]
    for event in events + [worse for _, worse in pairs]:
        for copy in copies:
            copy.start(event)
        for copy in copies:
            how, answer = copy.answers.get(timeout=30)
            assert how == "response", answer
    expected = [(channel, key_of(event)) for channel in CHANNELS for event in events + [worse for _, worse in pairs]]
    held = world.drain(copies[0], set(expected))
    taken = world.taken()
    print(f"{2 * len(events)} events to two copies at once: {len(taken)} messages taken, {held} held deliveries came back as duplicates")
    assert Counter(taken) == Counter(expected)
    assert_told_where_its_alert_is(world, pairs)


def test_a_dead_claimers_alert_arrives_after_its_lease(world):
    dead, other = world.copy(), world.copy()
    world.vendors.hangs.set()
    event, asked = world.event(), set(CHANNELS) - set(TOPICS)
    dead.start(event)
    for _ in asked:
        assert world.vendors.asked.acquire(timeout=10), "the function sends"
    dead.kill()
    begun = time.monotonic()
    world.vendors.hangs.clear()
    answer = other.invoke(event)
    assert answer["deliveries"]["queued"] >= len(asked), "somebody else's claim is respected"
    assert {channel for channel, _ in world.taken()} <= set(TOPICS)
    world.drain(other, {(channel, key_of(event)) for channel in CHANNELS})
    print(f"the alerts of a dead claimer arrived within {time.monotonic() - begun:.0f} s of its death")
    assert set(world.taken()) == {(channel, key_of(event)) for channel in CHANNELS}
