-- Looks at a request once it is known who sends it, as the gateway does: the token's header, what crosses to the services,
-- the query and the body. Runs after json.lua and query.lua; SERVICES, ALGORITHMS, TOKEN_TYPES, HEALTH_MILLISECONDS
-- are put in front. A refusal is answered with 400 and lines that answers.lua puts into words.

local PASSED = {
  [":method"] = true, [":path"] = true, [":authority"] = true, [":scheme"] = true, ["content-type"] = true,
  ["content-length"] = true, ["transfer-encoding"] = true, ["expect"] = true, ["x-request-id"] = true,
  ["authorization"] = true, ["x-api-key"] = true, ["idempotency-key"] = true, ["last-event-id"] = true,
  ["if-none-match"] = true, ["traceparent"] = true, ["tracestate"] = true,
  ["user-agent"] = true,
}
local PRINTABLE = { "authorization", "x-api-key", "idempotency-key", "last-event-id" }
local PRINTABLE_OR_DROPPED = { "if-none-match", "traceparent", "tracestate" }

local CHECK = {
  [":method"] = "POST", [":path"] = "/grpc.health.v1.Health/Check", ["content-type"] = "application/grpc",
  ["te"] = "trailers",
}
-- An empty HealthCheckRequest, and HealthCheckResponse{status: SERVING}.
local EMPTY_CALL, SERVING = "\0\0\0\0\0", "\0\0\0\0\2\8\1"

local function refuse(handle, ...)
  handle:respond({ [":status"] = "400" }, table.concat({ "prsm", ... }, "\n"))
end

local function readiness(handle)
  local states, away = {}, {}
  for _, name in ipairs(SERVICES) do
    CHECK[":authority"] = name
    local headers, body = handle:httpCall(name, CHECK, EMPTY_CALL, HEALTH_MILLISECONDS)
    local state = body == SERVING and "serving" or headers[":status"] == "200" and "not_serving" or "unreachable"
    if headers["grpc-status"] == "14" then state = "unreachable" end
    states[#states + 1] = '"' .. name .. '":"' .. state .. '"'
    if state ~= "serving" then away[#away + 1] = name end
  end
  local services = "{" .. table.concat(states, ",") .. "}"
  if #away > 0 then return refuse(handle, "ready", table.concat(away, ", "), services) end
  local headers = { [":status"] = "200", ["content-type"] = "application/json" }
  handle:respond(headers, '{"status":"ok","services":' .. services .. "}")
end

-- What Envoy's own check of the token leaves open.
local function is_good(token)
  local header, claims = token["header"], token["claims"]
  local kind = tostring(header["typ"] or ""):lower():gsub("^application/", "")
  local subject = claims["sub"]
  return ALGORITHMS[header["alg"]] and TOKEN_TYPES[kind] and type(subject) == "string"
    and #subject > 0 and #subject <= 255 and not subject:find("%z") and type(claims["exp"]) == "number"
end

local function fault_of_headers(headers)
  for _, name in ipairs(PRINTABLE) do
    local value = headers:get(name)
    if value and headers:getNumValues(name) > 1 then return name, "may be given only once" end
    if value and value:find("[^ -~]") then return name, "must be printable ASCII" end
  end
  local dropped = {}
  for name in pairs(headers) do
    if not PASSED[name] then dropped[#dropped + 1] = name end
  end
  for _, name in ipairs(PRINTABLE_OR_DROPPED) do
    local value = headers:get(name)
    if value and value:find("[^ -~]") then dropped[#dropped + 1] = name end
  end
  for _, name in ipairs(dropped) do headers:remove(name) end
  return nil
end

function envoy_on_request(handle)
  local route = handle:metadata()
  if route:get("ready") then return readiness(handle) end
  local token = handle:streamInfo():dynamicMetadata():get("envoy.filters.http.jwt_authn")
  if token and not is_good(token) then return refuse(handle, "unauthorized") end
  local query_shape = route:get("query")
  if not query_shape then return end
  local headers = handle:headers()
  local query = headers:get(":path"):match("%?(.*)$")
  local field, issue = fault_of_headers(headers)
  -- What calls itself gRPC would pass the transcoder by.
  if (headers:get("content-type") or ""):lower():find("^application/grpc") then
    if headers:get(":method") ~= "GET" then return refuse(handle, "media") end
    headers:remove("content-type")
  end
  if not field and query then
    field, issue = fault_of_query(query, query_shape, route:get("taken") or {}, route:get("unknown"))
  end
  local body_shape = route:get("body")
  if not field and body_shape then
    local body = handle:body()
    local size = body and body:length() or 0
    if size > 0 then
      field, issue = fault_of_body(body:getBytes(0, size), body_shape)
      if issue and not field then return refuse(handle, "json", issue) end
    end
  end
  if field then return refuse(handle, "fault", field, issue) end
  -- With a key it has one effect however often it is sent: a replica that vanishes under it costs nobody anything.
  if body_shape and handle:headers():get("idempotency-key") then
    handle:headers():replace("x-envoy-retry-on", "reset")
  end
end
