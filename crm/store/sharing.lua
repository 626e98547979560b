-- crm/domain/sharing.py and its two helpers in Lua, name by name. Change both or neither.
-- Whole numbers below 2^53 only, so doubles are exact.
--
-- KEYS[1]  the copy of the round: "revision|step|id,weight,served,carry;..."
-- KEYS[2]  where the answer to this question is kept, so that asking again gives the same answer
-- ARGV[1]  sha1 of the round that the database holds; if the copy is another, the answer is "stale"
-- ARGV[2]  the revision that the round has afterwards
-- ARGV[3]  who can take how many: "id,weight,room;..."
-- ARGV[4]  how many customers to give
-- ARGV[5]  the round that the database holds, or "" to use the copy
-- Answers with the ids in order, joined by ",".

local SCALE, CARRY_MAX, EFFORT, OUTLOOK_MAX = 10000, 1000000, 2000000, 1000
local KEEP_SECONDS = 120
local floor, ceil = math.floor, math.ceil

local kept = redis.call('GET', KEYS[2])
if kept then return kept end

local source = ARGV[5]
if source == '' then
  source = redis.call('GET', KEYS[1]) or ''
  if redis.sha1hex(source) ~= ARGV[1] then return 'stale' end
end

local function parsed(text)
  local rows = {}
  for row in string.gmatch(text, '[^;]+') do
    local values = {}
    for number in string.gmatch(row, '[^,]+') do values[#values + 1] = tonumber(number) end
    rows[#rows + 1] = values
  end
  return rows
end

local step, body = string.match(source, '^[^|]*|(%d+)|(.*)$')
local ids, weights, served, carry, total = {}, {}, {}, {}, 0
step = tonumber(step)
for i, row in ipairs(parsed(body)) do
  ids[i], weights[i], served[i], carry[i] = row[1], row[2], row[3], row[4]
  total = total + row[2]
end

local function all_owed()
  local owed = {}
  for i = 1, #ids do
    local left = floor((2 * SCALE * (weights[i] * step - served[i] * total) + total) / (2 * total))
    owed[i] = math.min(CARRY_MAX, math.max(-CARRY_MAX, carry[i] + left))
  end
  return owed
end

-- turned
local taking, rooms, same = parsed(ARGV[3]), {}, true
table.sort(taking, function(a, b) return a[2] > b[2] or (a[2] == b[2] and a[1] < b[1]) end)
for i, one in ipairs(taking) do
  rooms[one[1]] = one[3]
  same = same and ids[i] == one[1] and weights[i] == one[2]
end
if not (same and #ids == #taking) then
  local owed, before = all_owed(), {}
  for i, id in ipairs(ids) do before[id] = owed[i] end
  ids, weights, served, carry, total, step = {}, {}, {}, {}, 0, 0
  for i, one in ipairs(taking) do
    ids[i], weights[i], served[i], carry[i] = one[1], one[2], 0, before[one[1]] or 0
    total = total + one[2]
  end
end

local function leave(place)
  carry = all_owed()
  table.remove(ids, place)
  table.remove(weights, place)
  table.remove(carry, place)
  served, step, total = {}, 0, 0
  for i = 1, #ids do
    served[i] = 0
    total = total + weights[i]
  end
end

-- A heap of numbers, as heapq has it.
local function push(heap, value)
  local i = #heap + 1
  while i > 1 do
    local parent = floor(i / 2)
    if heap[parent] <= value then break end
    heap[i] = heap[parent]
    i = parent
  end
  heap[i] = value
end

local function pop(heap)
  local size, top = #heap, heap[1]
  local value = heap[size]
  heap[size] = nil
  size = size - 1
  if size == 0 then return top end
  local i, child = 1, 2
  while child <= size do
    if child < size and heap[child + 1] < heap[child] then child = child + 1 end
    if value <= heap[child] then break end
    heap[i] = heap[child]
    i, child = child, child * 2
  end
  heap[i] = value
  return top
end

local picks = {}

-- Notes one customer given to `place`. True when that was the last room.
local function given(place)
  local id = ids[place]
  picks[#picks + 1] = id
  rooms[id] = rooms[id] - 1
  return rooms[id] == 0
end

local function by_deadline(last)
  local size, places, waiting, released = #ids, {}, {}, {}
  for i = 1, size do places[i] = i end
  table.sort(places, function(a, b) return carry[a] > carry[b] or (carry[a] == carry[b] and a < b) end)
  for rank = 0, size - 1 do
    local i = places[rank + 1]
    local release = math.max(step, floor(served[i] * total / weights[i])) + 1
    local there = waiting[release]
    if there then there[#there + 1] = rank else waiting[release] = { rank } end
  end
  for now = step + 1, last do
    local there = waiting[now]
    if there then
      waiting[now] = nil
      for k = 1, #there do
        local i = places[there[k] + 1]
        push(released, ceil((served[i] + 1) * total / weights[i]) * size + there[k])
      end
    end
    local rank = pop(released) % size
    local i = places[rank + 1]
    served[i] = served[i] + 1
    local release = math.max(now, floor(served[i] * total / weights[i])) + 1
    there = waiting[release]
    if there then there[#there + 1] = rank else waiting[release] = { rank } end
    if given(i) then
      step = now
      return i
    end
  end
  step = last
  return nil
end

local function look(slack, finish)
  local needed = {}
  for when = 0, finish do needed[when] = 0 end
  for i = 1, #ids do
    local product = (served[i] + 1) * total
    local deadline = ceil(product / weights[i])
    while deadline <= finish do
      needed[deadline] = needed[deadline] + 1
      product = product + total
      deadline = ceil(product / weights[i])
    end
  end
  local free = 0
  for when = step, finish do
    free = free + 1 - needed[when]
    slack[when] = free
  end
end

local function most_owed(owed, slack, ahead)
  local limit = step + ahead
  for when = step, limit do
    if slack[when] == 0 then
      limit = when
      break
    end
  end
  local best, first, earliest = nil, nil, 0
  for i = 1, #ids do
    local product = served[i] * total
    if product < weights[i] * step then
      local deadline = ceil((product + total) / weights[i])
      if deadline <= limit and (not best or owed[i] > owed[best]) then best = i end
      if not first or deadline < earliest then first, earliest = i, deadline end
    end
  end
  return best or first
end

local function advance(count)
  local last, size = step + count, #ids
  local ahead = math.min(OUTLOOK_MAX, ceil(total / weights[size]))
  local steps = math.min(OUTLOOK_MAX, floor(EFFORT / (size * (size + ahead))))
  local finish = math.min(last, steps) + ahead
  local owed, slack, looked = {}, {}, false
  if step < steps then
    for i = 1, size do owed[i] = carry[i] * total + SCALE * (weights[i] * step - total * served[i]) end
  end
  while step < last and step < steps do
    step = step + 1
    for i = 1, size do owed[i] = owed[i] + SCALE * weights[i] end
    local best = 1
    if step == 1 then
      for i = 2, size do
        if owed[i] > owed[best] then best = i end
      end
    else
      if not looked then
        look(slack, finish)
        looked = true
      end
      best = most_owed(owed, slack, ahead)
      local deadline = ceil((served[best] + 1) * total / weights[best])
      for when = step, math.min(deadline - 1, finish) do slack[when] = slack[when] - 1 end
    end
    served[best] = served[best] + 1
    owed[best] = owed[best] - SCALE * total
    if given(best) then return best end
  end
  return by_deadline(last)
end

local count, full = tonumber(ARGV[4]), nil
while #picks < count do
  if full then
    if #ids == 1 then break end
    leave(full)
  end
  if #ids == 0 then break end
  full = advance(count - #picks)
end

local rows = {}
for i = 1, #ids do rows[i] = string.format('%.0f,%.0f,%.0f,%.0f', ids[i], weights[i], served[i], carry[i]) end
redis.call('SET', KEYS[1], string.format('%s|%.0f|%s', ARGV[2], step, table.concat(rows, ';')))
local answer = table.concat(picks, ',')
redis.call('SET', KEYS[2], answer, 'EX', KEEP_SECONDS)
return answer
