-- Forward authentication for HAProxy: asks edgeauth about a request, then forwards it
-- with the identity headers, or answers the client as edgeauth does.

local verify = "http://127.0.0.1:9091/v1/auth/verify/"

local identity = {
    "x-auth-user-id", "x-auth-email", "x-auth-email-verified", "x-auth-name",
    "x-auth-method", "x-auth-client", "x-auth-roles", "x-auth-session-id", "x-auth-assertion",
}

-- Headers of one connection (RFC 9110, section 7.6.1), and what HAProxy sets itself.
local dropped = {
    ["connection"] = true, ["keep-alive"] = true, ["transfer-encoding"] = true,
    ["content-length"] = true, ["upgrade"] = true, ["trailer"] = true,
}

-- What edgeauth needs of the client's request.
local asked = {
    "authorization", "cookie", "origin", "user-agent", "accept", "accept-language",
    "sec-fetch-mode", "sec-fetch-dest", "sec-fetch-site", "upgrade",
}

local function reply(txn, status, headers, body)
    local answer = txn:reply({ status = status })
    for name, values in pairs(headers or {}) do
        if not dropped[name] then
            for _, value in pairs(values) do
                answer:add_header(name, value)
            end
        end
    end
    answer:set_body(body or "")
    txn:done(answer)
end

core.register_action("edgeauth", { "http-req" }, function(txn)
    local headers = txn.http:req_get_headers()
    local question = {}
    for _, name in ipairs(asked) do
        if headers[name] then
            local values = {}
            for _, value in pairs(headers[name]) do
                table.insert(values, value)
            end
            question[name] = values
        end
    end
    local method = txn.sf:method()
    local host = headers["host"] and headers["host"][0] or ""
    question["x-forwarded-method"] = { method }
    question["x-forwarded-proto"] = { txn.f:ssl_fc() == 1 and "https" or "http" }
    question["x-forwarded-host"] = { host }
    question["x-forwarded-uri"] = { txn.sf:pathq() }
    question["x-forwarded-for"] = { txn.sf:src() }

    local answer = core.httpclient():get{ url = verify, headers = question, timeout = 10000 }
    if not answer or not answer.status or answer.status < 200 then
        return reply(txn, 503, { ["retry-after"] = { "5" } })
    end
    if answer.status ~= 200 then
        return reply(txn, answer.status, answer.headers, answer.body)
    end
    -- A 200 without a user is not from edgeauth: servers answer so for a host or path
    -- that they do not know.
    local user = answer.headers["x-auth-user-id"]
    if not user or user[0] == "" then
        return reply(txn, 503)
    end

    -- Some frameworks read X_Auth_User_Id and X.Auth.User.Id as X-Auth-User-Id.
    local ours = {}
    for _, name in ipairs(identity) do
        ours[name] = true
    end
    for name in pairs(headers) do
        if ours[(name:gsub("[_.]", "-"))] then
            txn.http:req_del_header(name)
        end
    end
    for _, name in ipairs(identity) do
        txn.http:req_set_header(name, answer.headers[name] and answer.headers[name][0] or "")
    end
    txn.http:req_del_header("authorization")
    txn.http:req_del_header("cookie")
    if answer.headers["set-cookie"] then
        txn:set_var("txn.edgeauth_cookie", answer.headers["set-cookie"][0])
    end
    txn:set_var("txn.edgeauth", "permitted")
end)
