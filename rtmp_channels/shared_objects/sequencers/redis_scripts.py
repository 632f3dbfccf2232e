"""What Redis runs: each script is atomic, so the order of their runs is the order of an object.

Keys of an object (one hash tag, so that a cluster keeps them together):

```
KEYS[1] meta       hash: epoch, version, sequence, forgotten, first, bytes, count, persistent
KEYS[2] slots      hash: key -> version (u32), length of the writer's id (u8), the id, the value
KEYS[3] tombs      sorted set: removed key, by version
KEYS[4] undertaker hash: removed key -> the id of who removed it
KEYS[5] log        stream, bounded: id "<sequence>-0"; fields v (version), n (events), w (writer),
                   e (events, packed)
KEYS[6] users      sorted set: process, by the time its lease ends (ms)
```
Arguments and results are packed with MessagePack. The rules are those of `state.py`, and a test
holds the two against each other.
"""

OPEN = """
local request = cmsgpack.unpack(ARGV[1])
local seed = request.seed
if redis.call('EXISTS', KEYS[1]) == 0 then
  if not request.create then return cmsgpack.pack({absent = true}) end
  redis.call('DEL', unpack(KEYS))
  redis.call('HSET', KEYS[1], 'epoch', request.epoch, 'version', seed.version,
    'sequence', seed.sequence, 'forgotten', seed.forgotten, 'first', seed.first,
    'bytes', seed.bytes, 'count', #seed.slots, 'persistent', request.persistent)
  for _, slot in ipairs(seed.slots) do redis.call('HSET', KEYS[2], slot[1], slot[2]) end
  for _, tomb in ipairs(seed.tombs) do
    redis.call('ZADD', KEYS[3], tomb[2], tomb[1])
    redis.call('HSET', KEYS[4], tomb[1], tomb[3])
  end
end
local time = redis.call('TIME')
redis.call('ZADD', KEYS[6], time[1] * 1000 + request.lease, request.process)
if redis.call('HGET', KEYS[1], 'persistent') == '0' then
  for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, request.lease) end
end
return cmsgpack.pack({
  meta = redis.call('HMGET', KEYS[1], 'epoch', 'version', 'sequence', 'forgotten', 'first',
    'persistent'),
  slots = redis.call('HGETALL', KEYS[2]),
  tombs = redis.call('ZRANGE', KEYS[3], 0, -1, 'WITHSCORES'),
  undertakers = redis.call('HGETALL', KEYS[4]),
})
"""

CLOSE = """
redis.call('ZREM', KEYS[6], ARGV[1])
local time = redis.call('TIME')
redis.call('ZREMRANGEBYSCORE', KEYS[6], '-inf', time[1] * 1000)
if redis.call('ZCARD', KEYS[6]) == 0 and redis.call('HGET', KEYS[1], 'persistent') ~= '1' then
  redis.call('DEL', unpack(KEYS))
end
"""

RENEW = """
if redis.call('EXISTS', KEYS[1]) == 0 then return end
local time = redis.call('TIME')
redis.call('ZADD', KEYS[6], time[1] * 1000 + ARGV[2], ARGV[1])
if redis.call('HGET', KEYS[1], 'persistent') == '0' then
  for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, ARGV[2]) end
end
"""

EXCHANGE = """
local request = cmsgpack.unpack(ARGV[1])
local limits = request.limits
local meta = redis.call('HMGET', KEYS[1], 'epoch', 'version', 'sequence', 'forgotten', 'bytes',
  'count')
if meta[1] ~= request.epoch then return cmsgpack.pack({lost = true}) end
local version, sequence, forgotten = tonumber(meta[2]), tonumber(meta[3]), tonumber(meta[4])
local bytes, count = tonumber(meta[5]), tonumber(meta[6])

local missed = {}
if request.since > sequence then return cmsgpack.pack({lost = true}) end
if request.since < sequence then
  missed = redis.call('XRANGE', KEYS[5], string.format('%d-0', request.since + 1), '+')
  local first = missed[1]
  if not first then return cmsgpack.pack({lost = true}) end
  local fields = first[2]
  local last_of_first = tonumber(string.match(first[1], '^%d+'))
  if last_of_first - tonumber(fields[4]) ~= request.since then
    return cmsgpack.pack({lost = true})
  end
end

local function slot_of(key)
  local raw = redis.call('HGET', KEYS[2], key)
  if not raw then return nil end
  local slot_version, length = struct.unpack('>I4B', raw)
  return {version = slot_version, writer = string.sub(raw, 6, 5 + length),
    value = string.sub(raw, 6 + length)}
end

local function tomb_of(key)
  local score = redis.call('ZSCORE', KEYS[3], key)
  if not score then return nil end
  return {version = tonumber(score), writer = redis.call('HGET', KEYS[4], key)}
end

local function bury(key, slot, batch, at)
  redis.call('HDEL', KEYS[2], key)
  redis.call('ZADD', KEYS[3], at, key)
  redis.call('HSET', KEYS[4], key, batch.writer)
  bytes, count = bytes - #key - #slot.value, count - 1
  if redis.call('ZCARD', KEYS[3]) > limits.tombstones then
    local oldest = redis.call('ZPOPMIN', KEYS[3])
    redis.call('HDEL', KEYS[4], oldest[1])
    forgotten = tonumber(oldest[2])
  end
end

local function put(key, slot, value, batch, at)
  bytes = bytes - (slot and #key + #slot.value or 0) + #key + #value
  if not slot then
    count = count + 1
    redis.call('ZREM', KEYS[3], key)
    redis.call('HDEL', KEYS[4], key)
  end
  redis.call('HSET', KEYS[2], key,
    struct.pack('>I4B', at, #batch.writer) .. batch.writer .. value)
end

local function limit_against(key, slot, value)
  if #key > limits.key_bytes then
    return string.format("a slot's name of %d bytes (%d at most)", #key, limits.key_bytes)
  elseif #value > limits.value_bytes then
    return string.format('a value of %d bytes (%d at most)', #value, limits.value_bytes)
  elseif not slot and count >= limits.slots then
    return string.format('the object has %d slots, which is the most', limits.slots)
  elseif bytes - (slot and #key + #slot.value or 0) + #key + #value > limits.object_bytes then
    return string.format('the object would exceed %d bytes', limits.object_bytes)
  end
end

local function set(key, value, batch, at, events)
  local slot = slot_of(key)
  local current = slot and slot.value
  if value == (current or false) then return {'a'} end
  local last = slot or tomb_of(key)
  local missed = batch.known >= 0 and last and last.version > batch.known
    and last.writer ~= batch.writer
  if limits.reject and missed then return {'l', current or false} end
  local reason = value and limit_against(key, slot, value)
  if reason then return {'r', current or false, reason} end
  local undone
  if slot then
    undone = missed
  else
    undone = batch.known >= 0 and math.max(forgotten, last and last.version or 0) > batch.known
  end
  if value then
    put(key, slot, value, batch, at)
    events[#events + 1] = {4, key, value}
  else
    bury(key, slot, batch, at)
    events[#events + 1] = {9, key, ''}
  end
  if undone then return {'o', value} end
  return {'a'}
end

local function decide(operation, batch, at, events)
  local kind = operation[1]
  if kind == 's' then
    return set(operation[2], operation[3], batch, at, events)
  elseif kind == 'x' then
    local slot = slot_of(operation[2])
    if slot then
      bury(operation[2], slot, batch, at)
      events[#events + 1] = {9, operation[2], ''}
    end
  elseif kind == 'c' then
    redis.call('DEL', KEYS[2], KEYS[3], KEYS[4])
    bytes, count, forgotten = 0, 0, at
    events[#events + 1] = {8, '', ''}
  elseif kind == 'm' then
    if #operation[2] > limits.send_bytes then
      return {'r', false, string.format('a send of %d bytes', #operation[2])}
    end
    events[#events + 1] = {6, '', operation[2]}
  end
  return {'a'}
end

local outcomes = {}
local has_events = false
for _, batch in ipairs(request.batches) do
  local events, answers, at = {}, {}, version + 1
  for i, operation in ipairs(batch.operations) do
    if batch.only_at >= 0 and batch.only_at ~= version then
      answers[i] = {'l', false}
    else
      answers[i] = decide(operation, batch, at, events)
    end
  end
  local changed = false
  for _, event in ipairs(events) do changed = changed or event[1] ~= 6 end
  if changed then version = at end
  if #events > 0 then
    has_events = true
    sequence = sequence + #events
    redis.call('XADD', KEYS[5], 'MAXLEN', limits.log_length, string.format('%d-0', sequence),
      'v', version, 'n', #events, 'w', batch.writer, 'e', cmsgpack.pack(events))
  end
  outcomes[#outcomes + 1] = {answers, version, #events > 0 and sequence or 0, events}
end
if has_events then
  redis.call('HSET', KEYS[1], 'version', version, 'sequence', sequence, 'forgotten', forgotten,
    'bytes', bytes, 'count', count)
  if redis.call('HGET', KEYS[1], 'persistent') == '0' then
    for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, limits.lease) end
  end
end
return cmsgpack.pack({missed = missed, outcomes = outcomes})
"""
