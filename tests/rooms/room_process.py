"""A process with a room hub over a real Redis; commands come as lines, what it hears goes out.

    join ROOM · leave ROOM · say ROOM TEXT · end
Every command is answered by a line "done"; a member of ROOM that is called prints "ROOM TEXT".
"""

from __future__ import annotations

import asyncio
import sys

from channels_redis.pubsub import RedisPubSubChannelLayer

from amf_remoting import amf
from rtmp_channels.rooms.hub import RoomHub


class Member:
    def __init__(self, room):
        self.room = room

    def write_shared(self, data):
        _, _, _, text = amf.loads_many(data[12:], 0)
        print(self.room, text, flush=True)


async def main(redis_url):
    hub = RoomHub(layer=RedisPubSubChannelLayer(hosts=[redis_url]))
    members = {}
    while True:
        line = await asyncio.to_thread(sys.stdin.readline)
        command, _, rest = line.strip().partition(" ")
        match command:
            case "join":
                members[rest] = Member(rest)
                await hub.join(rest, members[rest])
            case "leave":
                hub.leave(rest, members.pop(rest))
            case "say":
                room, _, text = rest.partition(" ")
                await hub.broadcast(room, "onSay", [text])
            case _:
                await hub.close()
                return
        print("done", flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
