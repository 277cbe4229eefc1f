// A page without the client of edgeauth: axios and axios-auth-refresh as the README of the
// latter configures them, with the scheme and the refresh of the login API.
import axios from "axios";
import createAuthRefreshInterceptor from "axios-auth-refresh";

const api = new URLSearchParams(location.search).get("api");

function getAccessToken() {
  return localStorage.getItem("token");
}

axios.interceptors.request.use((request) => {
  request.headers["Authorization"] = `Token ${getAccessToken()}`;
  return request;
});

const refreshAuthLogic = (failedRequest) =>
  axios.post(`${api}/v1/auth/token/refresh/`).then((tokenRefreshResponse) => {
    localStorage.setItem("token", tokenRefreshResponse.data.token);
    failedRequest.response.config.headers["Authorization"] = "Token " + tokenRefreshResponse.data.token;
    return Promise.resolve();
  });

createAuthRefreshInterceptor(axios, refreshAuthLogic);

// load returns the status of a request, or 0 without an answer.
globalThis.load = (path) => axios.get(api + path).then((answer) => answer.status, (error) => error.response?.status ?? 0);
