-- Query parameters against the fields of a message, by name and type; nested fields are dotted (`filter.title`).

local MOST_PARAMETERS = 200

local function decoded(part)
  return (part:gsub("+", " "):gsub("%%(%x%x)", function(digits) return string.char(tonumber(digits, 16)) end))
end

local function parameter_of(shape, name)
  local path = {}
  for part in (name .. "."):gmatch("(.-)%.") do path[#path + 1] = part end
  for number = 1, #path - 1 do
    local outer = shape and shape[path[number]]
    shape = outer and not outer.repeated and outer.kind == "message" and SHAPES[outer.shape] or nil
  end
  local field = shape and shape[path[#path]]
  if not field or OBJECTS[field.kind] or field.kind == "array" then return nil end
  return field
end

local function parameter_issue(field, value)
  if field.kind == "int" then
    if not value:find("^-?%d+$") or #value > 20 then return "must be a whole number" end
    local number = tonumber(value)
    if number < field.low or number > field.high then
      return string.format("must be from %.0f to %.0f", field.low, field.high)
    end
  elseif field.kind == "float" then
    local rest = value:match("^-?%d+(.*)$")
    rest = rest and (rest:match("^%.%d+(.*)$") or rest)
    if not rest or (rest ~= "" and not rest:find("^[eE][+-]?%d+$")) then return "must be a number" end
  elseif field.kind == "bool" then
    if value ~= "true" and value ~= "false" then return "must be true or false" end
  elseif field.kind == "enum" then
    if not field.choices[value] then return "must be one of " .. field.words end
  end
  return nil
end

-- The first fault of a query: (field, issue), or nothing. The `taken` names come from the path; "" takes no parameters.
-- `unknown` is the issue of a name that there is not.
local function fault_of_query(query, shape, taken, unknown)
  local known, given = SHAPES[shape], {}
  if select(2, query:gsub("&", "")) >= MOST_PARAMETERS then
    return "query", "holds more than " .. MOST_PARAMETERS .. " parameters"
  end
  if not_utf8(decoded(query)) then return "query", "is not UTF-8" end
  for pair in query:gmatch("[^&]+") do
    local name, value = pair:match("^([^=]*)=?(.*)$")
    name, value = decoded(name), decoded(value)
    local field = known and not taken[name] and parameter_of(known, name)
    if not field then return name, unknown end
    local issue = parameter_issue(field, value)
    if issue then return name, issue end
    if given[name] and not field.repeated then return name, "may be given only once" end
    given[name] = true
  end
  return nil
end
