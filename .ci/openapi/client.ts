// Types that a frontend uses. It compiles only if the description has them.
import type { components, paths } from "./api/api.js";

type Body<P extends keyof paths, Status extends number> =
  paths[P] extends { post: { responses: Record<Status, { content: { "application/json": infer T } }> } } ? T : never;

export const token = (login: Body<"/social/login/", 200>): string => login.token;
export const request = (answer: Body<"/by-link/link/", 200>): string => answer.request_id;

export const byCode: paths["/by-link/login/"]["post"]["requestBody"]["content"]["application/json"] = {
  request_id: "r",
  code: "123456",
  client_key: "k",
};

export const failure = (f: components["schemas"]["Failure"]): string => f.code ?? f.detail;
