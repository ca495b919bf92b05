-- Copies what the services say about HTTP from metadata to the answer, and words the transcoder's faults as documented.
-- CHALLENGE, INVALID_JSON and REASONS (by HTTP status) are put in front of this text when it is rendered.

local HIDDEN = {
  "grpc-status", "grpc-message", "grpc-status-details-bin", "grpc-accept-encoding", "grpc-encoding",
  "x-prsm-http-status", "x-prsm-error", "x-prsm-local", "x-prsm-local-time", "x-prsm-local-id",
}
local BY_GRPC_STATUS = { ["3"] = 400, ["4"] = 504, ["5"] = 404, ["7"] = 403, ["14"] = 503, ["16"] = 401 }

local function quoted(text)
  local escaped = text:gsub('[%c"\\]', function(c) return string.format("\\u%04x", c:byte()) end)
  return '"' .. escaped .. '"'
end

local function cure(value)
  local number = value:match("^-?%d+%.?%d*$")
  if not number then return "must be a string" end
  local whole, places = number:match("^(-?%d+)%.?(%d*)$")
  return 'must be a string, not a number: write "' .. whole .. "." .. places .. ("0"):rep(2 - #places) .. '"'
end

local KINDS = {
  TYPE_INT32 = "must be a whole number", TYPE_INT64 = "must be a whole number", TYPE_DOUBLE = "must be a number",
  TYPE_FLOAT = "must be a number", TYPE_BOOL = "must be true or false",
}

-- The fault in a text of the transcoder: the field and the issue, or nil for text that is not JSON.
local function fault(text)
  local unknown = text:match('^Could not find field "(.-)" in the type')
  if unknown then return unknown, "is not a known query parameter" end
  local bound = text:match("of the field (%S+) is conflicting")
  if bound then return bound, "differs from the path" end
  local again = text:match("Cannot set '(.-)' for type oneof")
  if again then return again, "may be given only once" end
  local field, value, kind = text:match('^(%S+): invalid value (.*) for type (%S+)$')
  if field then
    if kind == "TYPE_STRING" then return field, cure(value) end
    return field, KINDS[kind] or "has a value of the wrong kind"
  end
  if text:find("Root element must be a message", 1, true) then return "body", "must be an object" end
  if text:find("not repeating, cannot start list", 1, true) then return "body", "has an array where none may be" end
  local named, issue = text:match("^([%w_.-]+): ([%w -]+)$")
  if named then return named, issue end
  return nil
end

local function document(status, reason, details, at, id)
  return '{"error":' .. quoted(reason.error) .. ',"message":' .. quoted(reason.message) .. ',"code":' .. status
    .. ',"timestamp":"' .. at .. '","request_id":' .. quoted(id) .. details .. "}"
end

local function replace(handle, status, body, verb)
  -- An answer to HEAD has no body.
  local size = verb == "HEAD" and #body or handle:body(true):setBytes(body)
  local headers = handle:headers()
  headers:replace(":status", tostring(status))
  headers:replace("content-type", "application/json")
  headers:replace("content-length", tostring(size))
end

function envoy_on_request(handle)
  local kept = handle:streamInfo():dynamicMetadata()
  kept:set("prsm", "request_id", handle:headers():get("x-request-id") or "")
  kept:set("prsm", "verb", handle:headers():get(":method"))
end

function envoy_on_response(handle)
  local headers = handle:headers()
  local known = handle:streamInfo():dynamicMetadata():get("prsm") or {}
  local id, verb = known["request_id"] or headers:get("x-prsm-local-id") or "", known["verb"]
  local document_of_service = headers:get("x-prsm-error")
  local copied_status, grpc_status = headers:get("x-prsm-http-status"), headers:get("grpc-status")
  -- Reading the body ends the life of `headers`: everything is taken from it before.
  local locally, at = headers:get("x-prsm-local"), headers:get("x-prsm-local-time")
  if document_of_service then
    local status = tonumber(document_of_service:match('"code": ?(%d+)')) or 500
    if status == 401 and not headers:get("www-authenticate") then headers:add("www-authenticate", CHALLENGE) end
    replace(handle, status, document_of_service, verb)
  elseif locally then
    local text = handle:body(true)
    local field, issue = fault(text:getBytes(0, text:length()))
    local reason, details = REASONS[400], ""
    if not field and locally:find("json_transcode", 1, true) then
      reason = INVALID_JSON
    else
      field, issue = field or "request", issue or "is not HTTP that can be read"
      reason = { error = reason.error, message = field .. ": " .. issue }
      details = ',"details":{"fields":[{"field":' .. quoted(field) .. ',"issue":' .. quoted(issue) .. "}]}"
    end
    replace(handle, 400, document(400, reason, details, at, id), verb)
  elseif grpc_status and grpc_status ~= "0" then
    local status = BY_GRPC_STATUS[grpc_status] or 500
    local reason = REASONS[status]
    if status == 401 then headers:add("www-authenticate", CHALLENGE) end
    if reason.retry_after > 0 then headers:replace("retry-after", tostring(reason.retry_after)) end
    replace(handle, status, document(status, reason, "", os.date("!%Y-%m-%dT%H:%M:%SZ"), id), verb)
  elseif copied_status then
    headers:replace(":status", copied_status)
  end
  headers = handle:headers()
  if id ~= "" then headers:replace("x-request-id", id) end
  for _, name in ipairs(HIDDEN) do headers:remove(name) end
end
