-- Take the tokens of one request from every bucket it counts in, or from none.
-- The same as buckets.py, on the clock of Redis, which all processes share.
--
-- KEYS, for each scope: its bucket (hash), its tenants' shares (hash), when they asked (sorted set).
-- ARGV: floor, floor beyond the share, tenant, seconds a tenant counts, seconds of his share that
-- he can save up; then for each scope:
-- capacity, tokens a second, target, window in seconds, cost, what the venue counted (or -1) and
-- for how many seconds its window lasts (-1: as the clock's), seconds of silence that the venue
-- asked for just now (or 0).
-- Returns {seconds to wait, or 0; then for each scope: seconds of silence left, or 0}, as text.

local clock = redis.call('TIME')
local now = tonumber(clock[1]) + tonumber(clock[2]) / 1000000
local floor, beyond = tonumber(ARGV[1]), tonumber(ARGV[2])
local tenant, lasts, saved = ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
local scopes, wait, silences = {}, 0, {}

for i = 1, #KEYS / 3 do
  local k, a = (i - 1) * 3, 5 + (i - 1) * 8
  local s = {
    bucket = KEYS[k + 1], shares = KEYS[k + 2], asked = KEYS[k + 3],
    capacity = tonumber(ARGV[a + 1]), rate = tonumber(ARGV[a + 2]), target = tonumber(ARGV[a + 3]),
    window = tonumber(ARGV[a + 4]), cost = tonumber(ARGV[a + 5]), used = tonumber(ARGV[a + 6]),
    left = tonumber(ARGV[a + 7]),
  }
  scopes[i] = s
  local state = redis.call('HMGET', s.bucket, 'tokens', 'at', 'silent')
  local at = tonumber(state[2]) or now
  s.tokens = (tonumber(state[1]) or s.capacity) + math.max(0, now - at) * s.rate
  s.tokens = math.min(s.capacity, s.tokens)
  if s.used >= 0 then
    if s.left < 0 then s.left = s.window - now % s.window end
    local to_come = s.left * s.rate
    s.tokens = math.min(s.tokens, math.max(s.target - s.used - to_come, -to_come))
  end
  s.silent = math.max(tonumber(state[3]) or 0, now + tonumber(ARGV[a + 8]))
  silences[i] = math.max(0, s.silent - now)

  if s.cost > 0 then
    redis.call('ZREMRANGEBYSCORE', s.asked, '-inf', now - lasts)
    redis.call('ZADD', s.asked, now, tenant)
    s.parts = redis.call('ZCARD', s.asked)
    local rate, known = s.rate / s.parts, redis.call('HGET', s.shares, tenant)
    s.share = rate * saved
    if known then
      local left, asked_at = string.match(known, '^(%S+) (%S+)$')
      local since = math.max(0, now - tonumber(asked_at))
      if since <= lasts then s.share = math.min(s.share, tonumber(left) + since * rate) end
    end
    local cost, part = math.min(s.cost, s.capacity), floor
    if s.share <= 0 then part = beyond end
    local lacking = math.min(part * s.capacity, s.capacity - cost) + cost - s.tokens
    wait = math.max(wait, lacking / s.rate)
  end
end

local silence = 0
for i = 1, #silences do silence = math.max(silence, silences[i]) end
for i = 1, #scopes do
  local s = scopes[i]
  if s.cost > 0 then
    if wait == 0 and silence == 0 then
      s.tokens = s.tokens - s.cost
      if s.parts > 1 and s.share > 0 then s.share = s.share - s.cost end
    end
    redis.call('HSET', s.shares, tenant, string.format('%.6f %.6f', s.share, now))
    redis.call('EXPIRE', s.shares, math.ceil(lasts))
    redis.call('EXPIRE', s.asked, math.ceil(lasts))
  end
  redis.call('HSET', s.bucket, 'tokens', string.format('%.6f', s.tokens),
    'at', string.format('%.6f', now), 'silent', string.format('%.6f', s.silent))
  -- By then it would be full, and silent no more.
  local ends = math.ceil((s.capacity - s.tokens) / s.rate + silences[i] + s.window) + 1
  redis.call('EXPIRE', s.bucket, ends)
end

local answer = { string.format('%.6f', wait) }
for i = 1, #silences do answer[i + 1] = string.format('%.6f', silences[i]) end
return answer
