"use strict";

const result = document.getElementById("result");

// show displays an outcome for the test and the screenshot.
function show(step, outcome) {
  result.textContent = JSON.stringify(outcome, null, 2);
  result.dataset.step = step;
}

// call sends a request and returns what the page may read of the answer.
async function call(path, options = {}) {
  const headers = { ...options.headers };
  const token = localStorage.getItem("token");
  if (token) headers.Authorization = "Token " + token;
  try {
    const response = await fetch(config.api + path, { ...options, headers });
    const text = await response.text();
    return {
      status: response.status,
      challenge: response.headers.get("WWW-Authenticate"),
      body: text ? JSON.parse(text) : null,
    };
  } catch (error) {
    return { status: 0, error: String(error) };
  }
}

const post = (path, body) =>
  call(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });

// finish keeps the token of a login.
function finish(step, outcome) {
  if (outcome.status === 200) localStorage.setItem("token", outcome.body.token);
  show(step, outcome);
}

document.getElementById("by-link").addEventListener("submit", async (event) => {
  event.preventDefault();
  show("link-requested", await post("/v1/auth/by-link/link/", {
    email: document.getElementById("email").value,
    client_key: config.key,
  }));
});

document.getElementById("by-provider").addEventListener("click", async () => {
  const begun = await post("/v1/auth/social/authorize/" + config.provider + "/", {
    client_key: config.key,
    redirect_uri: location.origin + "/auth/callback",
  });
  if (begun.status !== 200) return show("authorize", begun);
  sessionStorage.setItem("state", begun.body.state);
  location.assign(begun.body.url);
});

document.getElementById("call").addEventListener("click", async () => show("called", await call("/whoami")));

document.getElementById("logout").addEventListener("click", async () =>
  show("logged-out", await call("/v1/auth/logout/", { method: "POST" })));

// A form needs no preflight: the request of any page arrives, and the browser only
// prevents foreign pages from reading the answer.
document.getElementById("simple").addEventListener("click", async () => {
  localStorage.removeItem("token");
  show("simple", await call("/v1/auth/by-link/link/", {
    method: "POST",
    body: new URLSearchParams({ email: "stranger@example.com" }),
  }));
});

// The pages that links and providers lead to.
(async () => {
  const link = location.pathname.match(/^\/auth\/link\/(.+)$/);
  if (link) {
    finish("logged-in-by-link", await post("/v1/auth/by-link/login/", { token: link[1], client_key: config.key }));
  }
  if (location.pathname === "/auth/callback") {
    const back = new URLSearchParams(location.search);
    if (back.get("state") !== sessionStorage.getItem("state")) return show("callback", { error: "state" });
    finish("logged-in-by-provider", await post("/v1/auth/social/login/", {
      provider: config.provider,
      code: back.get("code"),
      state: back.get("state"),
      client_key: config.key,
      redirect_uri: location.origin + "/auth/callback",
    }));
  }
})();
