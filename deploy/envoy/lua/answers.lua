-- Gives each request its id and one credential, and each answer its documented form: what the services say about HTTP is
-- copied from metadata, what went wrong is put into words, and nothing else of the inside is shown. CHALLENGE,
-- INVALID_JSON, REASONS (by HTTP status), QUOTA, WINDOW and RATE are put in front of this text.

local SHOWN = {
  [":status"] = true, ["content-type"] = true, ["content-length"] = true, ["transfer-encoding"] = true,
  ["connection"] = true, ["date"] = true, ["server"] = true, ["allow"] = true, ["x-request-id"] = true,
  ["location"] = true, ["content-disposition"] = true, ["etag"] = true, ["retry-after"] = true,
  ["cache-control"] = true, ["last-modified"] = true, ["vary"] = true, ["www-authenticate"] = true,
  ["x-accel-buffering"] = true, ["ratelimit"] = true, ["ratelimit-policy"] = true, ["idempotency-replayed"] = true,
  ["x-content-type-options"] = true, ["content-security-policy"] = true, ["content-encoding"] = true,
  ["referrer-policy"] = true, ["accept-ranges"] = true,
}
-- What Envoy answers itself to a request that calls itself gRPC is gRPC, too, with less to tell statuses apart.
local BY_LOCAL_GRPC_STATUS = { ["12"] = 404, ["14"] = 503, ["16"] = 401, ["7"] = 401 }
local BY_GRPC_STATUS = { ["1"] = 503, ["3"] = 400, ["4"] = 504, ["5"] = 404, ["7"] = 403, ["14"] = 503, ["16"] = 401 }

-- Nothing here is secret: an id must only differ from every other one.
local made = 0
local here = tostring({}):match("0x(%x+)") or "0"
local function new_id(handle)
  made = made + 1
  return string.format("%s-%s-%x", handle:timestampString(EnvoyTimestampResolution.MICROSECOND), here, made)
end

local function quoted(text)
  local escaped = text:gsub('[%c"\\]', function(c) return string.format("\\u%04x", c:byte()) end)
  return '"' .. escaped .. '"'
end

local function details_of(field, issue)
  return ',"details":{"fields":[{"field":' .. quoted(field) .. ',"issue":' .. quoted(issue) .. "}]}"
end

-- What the transcoder itself still refuses: a binding of the path, or a value that only it knows to be bad.
local function fault_of_transcoder(text)
  local bound = text:match("of the field (%S+) is conflicting")
  if bound then return bound, "differs from the path" end
  local again = text:match("Cannot set '(.-)' for type oneof")
  if again then return again, "may be given only once" end
  local field, kind = text:match("^(%S+): invalid value .* for type (%S+)$")
  if field and kind:find("Timestamp") then return field, "must be an RFC 3339 moment such as 2025-07-02T10:30:00Z" end
  if field then return field, "has a value that cannot be read" end
  return nil
end

-- RFC 3339 in UTC; a fraction only when it is not zero.
local function moment(handle)
  local milliseconds = tonumber(handle:timestampString(EnvoyTimestampResolution.MILLISECOND))
  local rest = milliseconds % 1000
  local text = os.date("!%Y-%m-%dT%H:%M:%S", (milliseconds - rest) / 1000)
  return rest > 0 and string.format("%s.%03dZ", text, rest) or text .. "Z"
end

local function document(handle, status, reason, details, id)
  return '{"error":' .. quoted(reason.error) .. ',"message":' .. quoted(reason.message) .. ',"code":' .. status
    .. ',"timestamp":"' .. moment(handle) .. '","request_id":' .. quoted(id) .. details .. "}"
end

local function replace(handle, status, body, verb)
  -- An answer to HEAD has no body.
  local size = verb == "HEAD" and #body or handle:body(true):setBytes(body)
  local headers = handle:headers()
  headers:replace(":status", tostring(status))
  headers:replace("content-type", "application/json")
  headers:replace("content-length", tostring(size))
end

-- (status, reason, details) of an answer of Envoy's own, from its text.
local function worded(text, from)
  local kind, rest = text:match("^prsm\n(%l+)\n?(.*)$")
  if kind == "json" then return 400, { error = INVALID_JSON.error, message = rest }, "" end
  if kind == "unauthorized" then return 401, REASONS[401], "" end
  if kind == "media" then return 415, REASONS[415], "" end
  if kind == "ready" then
    local names, services = rest:match("^(.-)\n(.*)$")
    local reason = { error = REASONS[503].error, message = "Not serving: " .. names, retry_after = REASONS[503].retry_after }
    return 503, reason, ',"details":{"services":' .. services .. "}"
  end
  local field, issue
  if kind == "fault" then
    field, issue = rest:match("^(.*)\n(.-)$")
  else
    field, issue = fault_of_transcoder(text)
    if not field and from:find("json_transcode", 1, true) then return 400, INVALID_JSON, "" end
    field, issue = field or "request", issue or "is not HTTP that can be read"
  end
  local message = field == "" and issue or field .. ": " .. issue
  return 400, { error = REASONS[400].error, message = message }, details_of(field, issue)
end

-- The same for a request that calls itself gRPC.
local function worded_as_grpc(grpc_status, message, is_limited)
  local text = message:gsub("%%(%x%x)", function(digits) return string.char(tonumber(digits, 16)) end)
  if text:find("^prsm\n") then return worded(text, "") end
  local status = is_limited and 429 or BY_LOCAL_GRPC_STATUS[grpc_status] or 415
  return status, REASONS[status], ""
end

local function finish(headers, status, reason)
  if status == 401 then headers:replace("www-authenticate", CHALLENGE) end
  if reason.retry_after and reason.retry_after > 0 then headers:replace("retry-after", tostring(reason.retry_after)) end
end

-- The rate limit's headers from the filter's own; the seconds until one more request may pass.
local function limits(headers, is_known)
  local left = tonumber(headers:get("x-ratelimit-remaining") or "")
  if not left or not is_known then return nil end
  local wait = left > 0 and 0 or math.max(1, math.ceil(1 / RATE))
  headers:replace("ratelimit-policy", string.format('"default";q=%d;w=%d', QUOTA, WINDOW))
  headers:replace("ratelimit", string.format('"default";r=%d;t=%d', left, wait))
  return wait
end

function envoy_on_request(handle)
  local headers = handle:headers()
  local id = headers:get("x-request-id") or ""
  if #id == 0 or #id > 128 or id:find("[^!-~]") then
    id = new_id(handle)
    headers:replace("x-request-id", id)
  end
  local kept = handle:streamInfo():dynamicMetadata()
  kept:set("prsm", "request_id", id)
  kept:set("prsm", "verb", headers:get(":method"))
  if (headers:get("content-type") or ""):lower():find("^application/grpc") then kept:set("prsm", "grpc", true) end
  -- One credential, as the gateway reads it: Authorization goes before X-API-Key, whatever it says.
  local given, key = headers:get("authorization"), headers:get("x-api-key")
  if given then
    local token = given:match("^[Bb][Ee][Aa][Rr][Ee][Rr] +(.-) *$")
    if token then headers:replace("authorization", "Bearer " .. token) end
    headers:remove("x-api-key")
  elseif key then
    headers:replace("x-api-key", key:match("^%s*(.-)%s*$"))
  end
end

function envoy_on_response(handle)
  local headers = handle:headers()
  local metadata = handle:streamInfo():dynamicMetadata()
  local known = metadata:get("prsm") or {}
  local id, verb = known["request_id"] or "", known["verb"]
  local document_of_service = headers:get("x-prsm-error")
  local copied_status, grpc_status = headers:get("x-prsm-http-status"), headers:get("grpc-status")
  local from = headers:get("x-prsm-local")
  local wait = limits(headers, metadata:get("envoy.filters.http.jwt_authn") ~= nil)
  -- Reading the body ends the life of `headers`: everything is taken from it before.
  if document_of_service then
    local status = tonumber(document_of_service:match('"code": ?(%d+)')) or 500
    if status == 401 and not headers:get("www-authenticate") then headers:add("www-authenticate", CHALLENGE) end
    replace(handle, status, document_of_service, verb)
  elseif known["grpc"] and grpc_status and not headers:get("x-envoy-upstream-service-time") then
    local is_limited = headers:get("x-prsm-limited") ~= nil
    local status, reason, details = worded_as_grpc(grpc_status, headers:get("grpc-message") or "", is_limited)
    finish(headers, status, reason)
    if is_limited then headers:replace("retry-after", tostring(wait)) end
    replace(handle, status, document(handle, status, reason, details, id), verb)
  elseif from and from ~= "" then
    local body = handle:body(true)
    local status, reason, details = worded(body:getBytes(0, body:length()), from)
    replace(handle, status, document(handle, status, reason, details, id), verb)
    finish(handle:headers(), status, reason)
  elseif (headers:get("x-prsm-denied") or ""):find("remote_fetch", 1, true) then
    -- Without the issuer's keys nobody knows whether a token is good.
    headers:remove("www-authenticate")
    finish(headers, 503, REASONS[503])
    replace(handle, 503, document(handle, 503, REASONS[503], "", id), verb)
  elseif headers:get("x-prsm-limited") then
    headers:replace("retry-after", tostring(wait))
  elseif grpc_status and grpc_status ~= "0" then
    local status = BY_GRPC_STATUS[grpc_status] or 500
    finish(headers, status, REASONS[status])
    replace(handle, status, document(handle, status, REASONS[status], "", id), verb)
  elseif headers:get("x-envoy-upstream-service-time") then
    if copied_status then headers:replace(":status", copied_status) end
    local length = headers:get("x-prsm-content-length")
    if copied_status == "304" then
      headers:remove("content-type")
    elseif length then
      -- A length of its own name would be taken for that of the gRPC message.
      headers:replace("content-length", length)
    end
    -- Answers depend on who asks; no cache on the way may keep one.
    if not headers:get("cache-control") then headers:add("cache-control", "no-store") end
  end
  headers = handle:headers()
  if id ~= "" then headers:replace("x-request-id", id) end
  headers:replace("x-content-type-options", "nosniff")
  local hidden = {}
  for name in pairs(headers) do
    if not SHOWN[name] then hidden[#hidden + 1] = name end
  end
  for _, name in ipairs(hidden) do headers:remove(name) end
end
