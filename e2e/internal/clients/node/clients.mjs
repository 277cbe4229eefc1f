// One function for each library. Each logs in or refreshes with the library's own
// code, and checks the user behind the gate.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const { API, SITE, CLIENT_KEY, BROWSE, ISSUER, CLIENT_ID, REDIRECT_URI, EXPIRED, TOKEN, ORIGIN } = process.env;

// browse logs in at the provider and returns the query of the redirect URI.
async function browse(url) {
  const answer = await fetch(`${BROWSE}?url=${encodeURIComponent(url)}`);
  assert.equal(answer.status, 200);
  return new URLSearchParams(await answer.text());
}

async function whoami(token) {
  const answer = await fetch(`${SITE}/whoami`, { headers: { Authorization: `Token ${token}` } });
  assert.equal(answer.status, 200);
}

async function login(body) {
  const answer = await fetch(`${API}/social/login/idp/`, {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ client_key: CLIENT_KEY, ...body }),
  });
  const text = await answer.text();
  assert.equal(answer.status, 200, text);
  await whoami(JSON.parse(text).token);
}

const clients = {
  // satellizer opens a popup, then posts code, clientId, redirectUri and state.
  async satellizer() {
    const { JSDOM } = require("jsdom");
    const page = new JSDOM("<div></div>", { url: `${ORIGIN}/`, runScripts: "outside-only", pretendToBeVisual: true });
    const { window } = page;
    for (const script of ["angular/angular.js", "satellizer/dist/satellizer.js"]) {
      window.eval(readFileSync(require.resolve(script), "utf8"));
    }
    const begun = await (await fetch(`${API}/social/authorize/idp/`, {
      method: "POST", headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ client_key: CLIENT_KEY, redirect_uri: REDIRECT_URI }),
    })).json();
    const app = window.angular.module("app", ["satellizer"]);
    app.config(["$authProvider", (auth) => {
      auth.withCredentials = false;
      auth.tokenType = "Token";
      auth.oauth2({
        name: "idp", url: `${API}/social/login/idp/`, clientId: CLIENT_ID, redirectUri: REDIRECT_URI,
        authorizationEndpoint: `${ISSUER}/authorize`, scope: ["openid", "email"], scopeDelimiter: " ",
        requiredUrlParams: ["scope"], oauthType: "2.0", state: begun.state,
      });
    }]);
    const auth = window.angular.bootstrap(window.document.querySelector("div"), ["app"]).get("$auth");
    window.open = () => {
      const popup = { closed: false, close() { this.closed = true; }, location: new URL("about:blank") };
      browse(begun.url).then((query) => { popup.location = new URL(`${REDIRECT_URI}?${query}`); });
      return popup;
    };
    const answer = await auth.authenticate("idp", { client_key: CLIENT_KEY });
    assert.equal(answer.status, 200);
    assert.ok(auth.isAuthenticated());
    await whoami(auth.getToken());
    page.window.close();
  },

  // axios-auth-refresh repeats a request after a 401, with a new token.
  async "axios-auth-refresh"() {
    const axios = require("axios");
    const refresh = require("axios-auth-refresh").default;
    let token = EXPIRED, refreshes = 0;
    const client = axios.create();
    client.interceptors.request.use((request) => {
      request.headers.Authorization = `Token ${token}`;
      return request;
    });
    refresh(client, async () => {
      refreshes++;
      const answer = await axios.post(`${API}/token/refresh/`, undefined, { headers: { Authorization: `Token ${TOKEN}` } });
      token = answer.data.token;
    });
    const answers = await Promise.all([1, 2, 3].map(() => client.get(`${SITE}/whoami`)));
    assert.ok(answers.every((answer) => answer.status === 200));
    assert.equal(refreshes, 1);
  },

  // ky does the same with a hook.
  async ky() {
    const { default: ky } = await import("ky");
    let token = EXPIRED;
    const client = ky.create({
      prefixUrl: SITE, retry: 0,
      hooks: {
        beforeRequest: [(request) => request.headers.set("Authorization", `Token ${token}`)],
        afterResponse: [async (request, options, response) => {
          if (response.status !== 401) return response;
          assert.equal((await response.clone().json()).detail, "Invalid token.");
          ({ token } = await ky.post(`${API}/token/refresh/`, { headers: { Authorization: `Token ${TOKEN}` } }).json());
          request.headers.set("Authorization", `Token ${token}`);
          return ky(request, { retry: 0 });
        }],
      },
    });
    assert.equal((await client.get("whoami")).status, 200);
  },

  // oauth4webapi begins the login by itself; the edge redeems the code with its
  // verifier and nonce.
  async oauth4webapi() {
    const oauth = await import("oauth4webapi");
    const issuer = new URL(ISSUER);
    const insecure = { [oauth.allowInsecureRequests]: true };
    const server = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, insecure));
    const verifier = oauth.generateRandomCodeVerifier(), state = oauth.generateRandomState(), nonce = oauth.generateRandomNonce();
    const url = new URL(server.authorization_endpoint);
    url.search = new URLSearchParams({
      client_id: CLIENT_ID, redirect_uri: REDIRECT_URI, response_type: "code", scope: "openid email", state, nonce,
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: "S256",
    });
    const back = oauth.validateAuthResponse(server, { client_id: CLIENT_ID }, await browse(url.href), state);
    await login({ code: back.get("code"), redirect_uri: REDIRECT_URI, code_verifier: verifier, nonce, iss: back.get("iss") ?? undefined });
  },

  // AppAuth builds the authorization request of a native application.
  async appauth() {
    const { AuthorizationRequest } = require("@openid/appauth/built/authorization_request");
    const { AuthorizationServiceConfiguration } = require("@openid/appauth/built/authorization_service_configuration");
    const { NodeCrypto } = require("@openid/appauth/built/node_support/crypto_utils");
    const { BasicQueryStringUtils } = require("@openid/appauth/built/query_string_utils");
    const metadata = await (await fetch(`${ISSUER}/.well-known/openid-configuration`)).json();
    const configuration = new AuthorizationServiceConfiguration(metadata);
    const request = new AuthorizationRequest({
      client_id: CLIENT_ID, redirect_uri: REDIRECT_URI, scope: "openid email", response_type: "code", extras: { nonce: "nonce-of-appauth" },
    }, new NodeCrypto(), true);
    await request.setupCodeVerifier();
    const query = new BasicQueryStringUtils().stringify({
      redirect_uri: request.redirectUri, client_id: request.clientId, response_type: request.responseType, scope: request.scope,
      state: request.state, ...request.extras,
    });
    const back = await browse(`${configuration.authorizationEndpoint}?${query}`);
    assert.equal(back.get("state"), request.state);
    await login({
      code: back.get("code"), redirect_uri: REDIRECT_URI, code_verifier: request.internal.code_verifier, nonce: "nonce-of-appauth",
      state: back.get("state"),
    });
  },
};

await clients[process.argv[2]]();
