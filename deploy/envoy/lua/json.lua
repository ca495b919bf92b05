-- Strict JSON (RFC 8259), read against the fields of a message. SHAPES is put in front of this text: by message, by field,
-- { kind =, shape =, cure =, repeated =, low =, high =, choices =, words =, decimal = }.

local DEEPEST, LONGEST_NAME = 100, 100

-- The document under way: its text, and the first thing that its message cannot hold.
local text, found

local function broken(why, at)
  error({ at = at, why = why or "The body is not JSON" }, 0)
end

local function note(path, issue)
  if not found then found = { field = path, issue = issue } end
end

local function beyond_space(at)
  return text:find("[^ \t\n\r]", at) or #text + 1
end

-- RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF. The first byte that does not fit, or nil.
local function not_utf8(bytes)
  local at, size, byte = bytes:find("[\128-\255]"), #bytes, string.byte
  if not at then return nil end
  while at <= size do
    local lead = byte(bytes, at)
    local more, low, high = 0, 128, 191
    if lead >= 128 then
      if lead < 194 or lead > 244 then return at end
      more = lead < 224 and 1 or lead < 240 and 2 or 3
      if lead == 224 then low = 160 elseif lead == 237 then high = 159
      elseif lead == 240 then low = 144 elseif lead == 244 then high = 143 end
      for step = 1, more do
        local next_byte = byte(bytes, at + step)
        if not next_byte or next_byte < low or next_byte > high then return at end
        low, high = 128, 191
      end
    end
    at = at + 1 + more
  end
  return nil
end

-- So much of a name as is told: whole characters, LONGEST_NAME of them at most.
local function told(name)
  local at = 1
  for _ = 1, LONGEST_NAME do
    at = name:find("[^\128-\191]", at + 1)
    if not at then return name end
  end
  return name:sub(1, at - 1)
end

local function utf8_of(code)
  if code < 0x80 then return string.char(code) end
  if code < 0x800 then return string.char(192 + math.floor(code / 64), 128 + code % 64) end
  if code < 0x10000 then
    return string.char(224 + math.floor(code / 4096), 128 + math.floor(code / 64) % 64, 128 + code % 64)
  end
  return string.char(
    240 + math.floor(code / 262144), 128 + math.floor(code / 4096) % 64, 128 + math.floor(code / 64) % 64,
    128 + code % 64
  )
end

local ESCAPED = {
  ['"'] = '"', ["\\"] = "\\", ["/"] = "/", b = "\b", f = "\f", n = "\n", r = "\r", t = "\t",
}

-- The position behind an escape that begins at `at`, and what it stands for.
local function escape(at)
  local plain = ESCAPED[text:sub(at + 1, at + 1)]
  if plain then return at + 2, plain end
  local digits = text:match("^u(%x%x%x%x)", at + 1)
  if not digits then broken("An escape is not JSON", at) end
  local code = tonumber(digits, 16)
  if code >= 0xD800 and code < 0xDC00 then
    local low = text:match("^\\u([dD][c-fC-F]%x%x)", at + 6)
    if not low then broken("A text in the body has half a surrogate pair") end
    return at + 12, utf8_of(0x10000 + (code - 0xD800) * 1024 + tonumber(low, 16) - 0xDC00)
  end
  if code >= 0xDC00 and code < 0xE000 then broken("A text in the body has half a surrogate pair") end
  return at + 6, utf8_of(code)
end

-- The position behind a string whose first quote is at `at`, and its value when that is `wanted`.
local function string_at(at, wanted)
  local pieces = wanted and {}
  at = at + 1
  while true do
    local stop = text:find('["\\%c]', at)
    -- DEL is a control character to Lua and none to JSON.
    while stop and text:byte(stop) == 127 do stop = text:find('["\\%c]', stop + 1) end
    if not stop then broken("A text does not end", at) end
    if pieces then pieces[#pieces + 1] = text:sub(at, stop - 1) end
    local sign = text:byte(stop)
    if sign == 34 then return stop + 1, pieces and table.concat(pieces) end
    if sign ~= 92 then broken("A text has a control character", stop) end
    local value
    at, value = escape(stop)
    if pieces then pieces[#pieces + 1] = value end
  end
end

local function number_at(at)
  local stop = select(2, text:find("^-?%d+", at))
  if not stop or text:find("^-?0%d", at) then broken(nil, at) end
  stop = select(2, text:find("^%.%d+", stop + 1)) or stop
  stop = select(2, text:find("^[eE][+-]?%d+", stop + 1)) or stop
  local written = text:sub(at, stop)
  if #written > 4000 then broken("A number in the body has too many digits") end
  if math.abs(tonumber(written)) == math.huge then broken(written:sub(1, 40) .. " is too large for a number") end
  return stop + 1, written
end

-- A number as the string to send instead: decimals with at least two places.
local function as_string(field, written)
  if written:find("[.eE]") then written = string.format("%f", tonumber(written)):gsub("0+$", ""):gsub("%.$", "") end
  if not field.decimal then return written end
  local whole, places = written:match("^(-?%d+)%.?(%d*)$")
  return whole .. "." .. places .. ("0"):rep(2 - #places)
end

local OBJECTS = { message = true, map = true, object = true, any = true }
local ARRAYS = { array = true, any = true }
local CALLED = { object = "an object", array = "an array", string = "a string", boolean = "true or false", null = "null" }

local function misfit(field, path, called)
  local kind = field.kind
  if kind == "bool" then note(path, "must be true or false, not " .. called)
  elseif kind == "int" then note(path, "must be a whole number, not " .. called)
  elseif kind == "float" then note(path, "must be a number, not " .. called)
  elseif kind == "enum" then note(path, "must be one of " .. field.words)
  elseif kind == "moment" then note(path, "must be an RFC 3339 moment such as 2025-07-02T10:30:00Z")
  elseif kind == "array" then note(path, "must be an array, not " .. called)
  elseif OBJECTS[kind] then
    note(path, "must be an object, not " .. called .. (called == CALLED.string and field.cure or ""))
  else note(path, "must be a string, not " .. called) end
end

local function fit_number(field, path, written)
  local kind, value = field.kind, tonumber(written)
  if kind == "int" then
    if value ~= math.floor(value) then note(path, "must be a whole number, not " .. written)
    elseif value < field.low or value > field.high then
      note(path, string.format("must be from %.0f to %.0f", field.low, field.high))
    end
  elseif kind == "string" then
    note(path, 'must be a string, not a number: write "' .. as_string(field, written) .. '"')
  elseif kind ~= "float" and kind ~= "any" then
    misfit(field, path, "a number")
  end
end

-- The optimal string alignment distance.
local function distance(one, other)
  local older, before, row = {}, {}, {}
  for j = 0, #other do row[j] = j end
  for i = 1, #one do
    older, before, row = before, row, { [0] = i }
    for j = 1, #other do
      local same = one:byte(i) == other:byte(j)
      local least = math.min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (same and 0 or 1))
      if i > 1 and j > 1 and one:byte(i) == other:byte(j - 1) and one:byte(i - 1) == other:byte(j) then
        least = math.min(least, older[j - 2] + 1)
      end
      row[j] = least
    end
  end
  return row[#other]
end

-- What follows on the word that a name is not known: the name that was probably meant, as gateway/nearest.py finds it.
local function meant(name, shape)
  if #name > 64 or not name:find("^[A-Za-z0-9_]+$") then return "" end
  local found, least = nil, math.min(2, math.floor((#name - 1) / 2))
  for candidate in pairs(shape) do
    if math.abs(#candidate - #name) <= least then
      local away = distance(name, candidate)
      if away < least or away == least and (not found or candidate < found) then found, least = candidate, away end
    end
  end
  return found and ": did you mean " .. found .. "?" or ""
end

local value_at

local function object_at(at, shape, path, depth)
  local seen = {}
  at = beyond_space(at + 1)
  if text:sub(at, at) == "}" then return at + 1 end
  while true do
    if text:sub(at, at) ~= '"' then broken(nil, at) end
    local name
    at, name = string_at(at, true)
    if seen[name] then broken('"' .. told(name) .. '" appears twice in one object') end
    seen[name] = true
    at = beyond_space(at)
    if text:sub(at, at) ~= ":" then broken(nil, at) end
    local field, inner
    if shape and not found then
      field = shape[name]
      inner = path == "" and told(name) or path .. "." .. told(name)
      if not field then note(inner, "is not a known field" .. meant(name, shape)) end
    end
    at = beyond_space(value_at(beyond_space(at + 1), field, inner, depth, field and field.repeated))
    local sign = text:sub(at, at)
    if sign == "}" then return at + 1 end
    if sign ~= "," then broken(nil, at) end
    at = beyond_space(at + 1)
  end
end

local function array_at(at, field, path, depth)
  at = beyond_space(at + 1)
  if text:sub(at, at) == "]" then return at + 1 end
  local number = 0
  while true do
    local inner = field and path .. "[" .. number .. "]"
    if inner and text:find("^null", at) then note(inner, "must not be null") end
    at = beyond_space(value_at(at, field, inner, depth))
    local sign = text:sub(at, at)
    if sign == "]" then return at + 1 end
    if sign ~= "," then broken(nil, at) end
    at, number = beyond_space(at + 1), number + 1
  end
end

-- The position behind the value at `at`; what a `field` cannot hold is noted.
function value_at(at, field, path, depth, in_list)
  if depth > DEEPEST then broken("The body nests too deeply") end
  if found then field = nil end
  local sign = text:sub(at, at)
  if sign == "{" then
    if field and (in_list or not OBJECTS[field.kind]) then
      if in_list then note(path, "must be an array, not an object") else misfit(field, path, CALLED.object) end
    end
    local shape = field and not in_list and field.shape and SHAPES[field.shape]
    return object_at(at, shape, path, depth + 1)
  end
  if sign == "[" then
    if field and not in_list and not ARRAYS[field.kind] then misfit(field, path, CALLED.array) end
    return array_at(at, in_list and field, path, depth + 1)
  end
  local stop, called, written
  if sign == '"' then
    local wanted = field and field.kind == "enum"
    stop, written = string_at(at, wanted)
    called = CALLED.string
    if wanted and not in_list then
      if not field.choices[written] then misfit(field, path, called) end
      return stop
    end
    if field and not in_list and (field.kind == "string" or field.kind == "bytes" or field.kind == "any"
        or field.kind == "moment") then
      return stop
    end
  elseif text:find("^null", at) then
    return at + 4
  elseif text:find("^true", at) or text:find("^false", at) then
    stop, called = at + (sign == "t" and 4 or 5), CALLED.boolean
    if field and not in_list and (field.kind == "bool" or field.kind == "any") then return stop end
  else
    stop, written = number_at(at)
    called = "a number"
    if field and not in_list then
      fit_number(field, path, written)
      return stop
    end
  end
  if field then
    if in_list then note(path, "must be an array, not " .. called) else misfit(field, path, called) end
  end
  return stop
end

local function whole(shape)
  local at = beyond_space(1)
  local body = { kind = "message", shape = shape }
  at = beyond_space(value_at(at, body, "", 0))
  if at <= #text then broken("The body goes on after its value", at) end
  if text:find("^[ \t\n\r]*null") then note("body", "must be an object, not null") end
end

-- Why a body cannot be read as this message: (field, issue), or (nil, what is wrong with the JSON), or nothing.
local function fault_of_body(body, shape)
  local bad = not_utf8(body)
  if bad then return nil, "The body is not UTF-8 at byte " .. bad - 1 end
  text, found = body, nil
  local good, why = pcall(whole, shape)
  text = nil
  if good then
    if not found then return nil, nil end
    return found.field == "" and "body" or found.field, found.issue
  end
  if type(why) ~= "table" then error(why, 0) end
  return nil, why.why .. (why.at and " at byte " .. why.at - 1 or "")
end
