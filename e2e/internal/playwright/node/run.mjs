// Signs in with `edgeauth/testing`, as the documentation describes, and uses the pages.
import assert from "node:assert/strict";
import { chromium } from "playwright-core";

const { TESTING, CHROMIUM, SITE, API, CLIENT_KEY, PAGE_SITE, CLOSED_API } = process.env;
const { signIn, signInPage } = await import(TESTING);

const browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox", "--disable-gpu"], timeout: 60_000 });
const open = async () => {
  const context = await browser.newContext();
  context.setDefaultTimeout(60_000);
  return context.newPage();
};

// Playwright, with a token.
{
  const page = await open();
  const { user } = await signInPage(page, { api: API, clientKey: CLIENT_KEY, email: "ann@example.com" });
  await page.goto(SITE);
  await page.locator("#app").waitFor();
  assert.equal(await page.locator("#email").textContent(), "ann@example.com");
  await page.locator("#call").click();
  await page.locator("#orders").waitFor();
  const orders = await page.locator("#orders").textContent();
  assert.ok(orders.startsWith("200 ") && orders.includes(user.id), orders);
  await page.locator("#logout").click();
  await page.locator("#ask").waitFor();
  await page.reload();
  await page.locator("#ask").waitFor();
  await page.waitForFunction(() => globalThis.auth); // the form is there before the script
  assert.equal(await page.evaluate(() => auth.snapshot), null);
}

// Playwright, with the cookie of the login page.
{
  const page = await open();
  const { token } = await signInPage(page, { api: PAGE_SITE + "/auth", email: "ann@example.com" });
  assert.equal(token, "");
  await page.goto(PAGE_SITE + "/");
  assert.equal(await page.locator("body").textContent(), "application");
}

// Cypress: a task in Node, then cy.visit with onBeforeLoad.
{
  const { item } = await signIn({ api: API, clientKey: CLIENT_KEY, email: "ann@example.com" });
  const page = await open();
  await page.addInitScript(({ name, value }) => localStorage.setItem(name, value), item);
  await page.goto(SITE);
  await page.locator("#app").waitFor();
}

// Cypress with the cookie: requests of the browser, as cy.request sends them.
{
  const page = await open();
  const link = await (await page.request.post(PAGE_SITE + "/auth/by-link/link/", { data: { email: "ann@example.com" } })).json();
  const login = await page.request.post(PAGE_SITE + "/auth/by-link/login/", { data: { token: link._debug_auth_link.split("/").pop() } });
  assert.equal(login.status(), 200);
  await page.goto(PAGE_SITE + "/");
  assert.equal(await page.locator("body").textContent(), "application");
}

// A server that is not in development mode.
await assert.rejects(signIn({ api: CLOSED_API, clientKey: CLIENT_KEY, email: "ann@example.com" }), /development mode/);
await browser.close();
