import { describe, expect, test } from "vitest";
import { explainError } from "../../packages/core/src/base/errors.ts";
import type { AuthPlan, RequestPlan } from "../../packages/core/src/config/plan-types.ts";
import { createAuthenticator } from "../../packages/core/src/extract/auth/auth.ts";
import { sealSecret } from "../../packages/core/src/extract/auth/sealed.ts";
import type { HttpRequest } from "../../packages/core/src/extract/http/transport.ts";
import { Secret } from "../../packages/core/src/secrets/reference.ts";
import { type Handler, openApi, type Reply } from "../support/api.ts";
import { virtualClock } from "../support/clock.ts";
import { CANARY, testResource, testSecrets, testWorld } from "./fixtures.ts";

const origin = "https://api.example.com";
const request: HttpRequest = {
  method: "GET",
  url: `${origin}/v1/tickets?offset=0`,
  headers: { "x-team": "a" },
};

function createTestAuth(
  plan: AuthPlan | undefined,
  secrets: ReturnType<typeof testSecrets>,
  world = testWorld(),
  changes: Partial<RequestPlan> = {},
) {
  const resource = testResource(origin);
  const { retry, timeoutMs } = resource;
  const resourceRef = { source: "support", resource: "tickets" };
  const context = { resourceRef, world, retry, timeoutMs };
  const plans = { source: "support", auth: plan, request: { ...resource.request, ...changes } };
  return createAuthenticator(plans, { secrets, context });
}

const keyAuth = (location: "header" | "query" | "cookie", name = "api_key"): AuthPlan => ({
  type: "api_key",
  name,
  apiKey: Secret.fromName("api_key"),
  location,
});

const basicAuth: AuthPlan = {
  type: "http_basic",
  username: Secret.fromName("user"),
  password: Secret.fromName("password"),
};

describe("a copy of the request gets the credentials", () => {
  const encoded = "canary%2Fkey%2Bwith%3Dsigns%26a+space";
  test.each<[string, AuthPlan | undefined, Partial<HttpRequest>]>([
    ["no credentials where the config has none", undefined, {}],
    ["an api key in the query", keyAuth("query"), { url: `${request.url}&api_key=${encoded}` }],
    [
      "an api key in a header",
      keyAuth("header", "X-Api-Key"),
      { headers: { "x-team": "a", "x-api-key": CANARY } },
    ],
    [
      "an api key in a cookie",
      keyAuth("cookie", "sid"),
      { headers: { "x-team": "a", cookie: `sid=${CANARY}` } },
    ],
    [
      "a bearer token",
      { type: "bearer", token: Secret.fromName("api_key") },
      { headers: { "x-team": "a", authorization: `Bearer ${CANARY}` } },
    ],
    [
      "user and password in UTF-8",
      basicAuth,
      { headers: { "x-team": "a", authorization: `Basic ${btoa("jos\u00c3\u00a9:")}` } },
    ],
  ])("a copy of the request gets %s", async (_, plan, changes) => {
    const before = structuredClone(request);
    const auth = createTestAuth(plan, testSecrets({ api_key: CANARY, user: "josé", password: "" }));
    expect(await auth.apply(request)).toEqual({ ...request, ...changes });
    expect(request).toEqual(before);
  });

  test("a key that the API has repeated in a link is replaced, not repeated", async () => {
    const auth = createTestAuth(keyAuth("query"), testSecrets({ api_key: "new" }));
    const signed = await auth.apply({ ...request, url: `${origin}/v1?api_key=old&page=2` });
    expect(new URL(signed.url).searchParams.getAll("api_key")).toEqual(["new"]);
  });

  test("a query keeps its own encoding when a key is added", async () => {
    const auth = createTestAuth(keyAuth("query"), testSecrets({ api_key: "k" }));
    const signed = await auth.apply({ ...request, url: `${origin}/v1?at=1:2&q=a%20b` });
    expect(signed.url).toBe(`${origin}/v1?at=1:2&q=a%20b&api_key=k`);
  });

  test("a key in a cookie comes after the configured cookies", async () => {
    const auth = createTestAuth(keyAuth("cookie", "sid"), testSecrets({ api_key: "k" }));
    const signed = await auth.apply({ ...request, headers: { cookie: "lang=de" } });
    expect(signed.headers).toEqual({ cookie: "lang=de; sid=k" });
  });

  test("a key can be part of a string", async () => {
    const plan = {
      ...keyAuth("header", "Authorization"),
      apiKey: Secret.fromText("Token {secrets.k}!"),
    };
    const auth = createTestAuth(plan as AuthPlan, testSecrets({ k: CANARY }));
    expect((await auth.apply(request)).headers.authorization).toBe(`Token ${CANARY}!`);
    expect(auth.quote(`bad ${CANARY}`)).toBe("bad [secret]");
    expect(auth.refusedHint).toContain('the secret "k"');
  });
});

describe("credentials go to the configured origins only", () => {
  const allowed = { allowedOrigins: ["https://files.example.com"] };
  const elsewhere = { url: "https://other.example/v1" };

  test("credentials go to another origin that the config allows (P16)", async () => {
    const auth = createTestAuth(
      keyAuth("query"),
      testSecrets({ api_key: "k" }),
      testWorld(),
      allowed,
    );
    const signed = await auth.apply({ ...request, url: "https://files.example.com/a" });
    expect(signed.url).toBe("https://files.example.com/a?api_key=k");
    await expect(auth.apply({ ...request, url: "https://evil.example/" })).rejects.toThrow(
      `for ${origin} and https://files.example.com only`,
    );
  });

  test("a path that is a URL of another origin is asked without credentials and secret headers (P16)", async () => {
    const auth = createTestAuth(undefined, testSecrets({ k: CANARY }), testWorld(), elsewhere);
    const headers = { "x-team": "a", "x-key": sealSecret("k") };
    const bare = await auth.apply({ ...request, headers, url: "https://other.example/v1?page=2" });
    expect(bare.headers).toEqual({ "x-team": "a" });
    await expect(auth.apply({ ...request, url: "https://third.example/" })).rejects.toMatchObject({
      code: "extract.origin",
    });
    const body = { ...request, url: elsewhere.url, body: sealSecret("k") };
    await expect(auth.apply(body)).rejects.toMatchObject({ code: "extract.origin" });
  });

  test.each([
    "https://evil.example/v1/tickets",
    "https://api.example.com.evil.example/",
    "https://api.example.com@evil.example/",
    "https:\\\\evil.example/",
    "http://api.example.com/",
    "https://api.example.com:8443/",
  ])("credentials go to the configured origins only, and not to %s (P16)", async (url) => {
    for (const plan of [keyAuth("query"), undefined]) {
      const secrets = testSecrets({ api_key: CANARY });
      await expect(createTestAuth(plan, secrets).apply({ ...request, url })).rejects.toMatchObject({
        code: "extract.origin",
        message: expect.stringContaining(`the credentials are for ${origin} only`),
      });
    }
  });
});

test("a credential with a line break is an error without its value", async () => {
  const auth = createTestAuth(keyAuth("header", "X-Key"), testSecrets({ api_key: `${CANARY}\n` }));
  const error = await auth.apply(request).catch((thrown) => thrown);
  expect(explainError(error)).toBe(
    'the credential for the header "x-key" has a character that headers cannot carry; was it pasted with a line break?',
  );
});

describe("the hint after a refusal", () => {
  test.each<[AuthPlan | undefined, string]>([
    [keyAuth("query"), 'check the secret "api_key" (tidetable check support)'],
    [basicAuth, 'check the secrets "user" and "password" (tidetable check support)'],
    [{ type: "bearer", token: Secret.fromPlainText("x") }, "check the credentials in the config"],
    [undefined, "the config names no auth for this resource: does the API need one?"],
  ])("the hint after a refusal of %j is: %s", (plan, hint) => {
    expect(createTestAuth(plan, testSecrets({})).refusedHint).toBe(hint);
  });
});

describe("renewing", () => {
  test("renewing credentials reads the secret again", async () => {
    const secrets = testSecrets({ api_key: "old" }, { api_key: "new" });
    const auth = createTestAuth(keyAuth("header", "x-key"), secrets);
    expect((await auth.apply(request)).headers["x-key"]).toBe("old");
    expect(await auth.renew()).toBe(true);
    expect((await auth.apply(request)).headers["x-key"]).toBe("new");
  });

  test("credentials in plain text in the config cannot be renewed", async () => {
    const secrets = testSecrets({});
    expect(
      await createTestAuth({ type: "bearer", token: Secret.fromPlainText("x") }, secrets).renew(),
    ).toBe(false);
    expect(await createTestAuth(undefined, secrets).renew()).toBe(false);
    expect(secrets.refreshes).toBe(0);
  });
});

describe("OAuth2 client credentials", () => {
  const members = { client_id: "tide", client_secret: CANARY };

  async function openOAuth(
    script: Handler | (Handler | Reply)[],
    secrets = testSecrets(members),
    changes: Partial<Extract<AuthPlan, { type: "oauth2_client_credentials" }>> = {},
  ) {
    const api = await openApi(script);
    const clock = virtualClock();
    const world = testWorld({ clock });
    const plan: AuthPlan = {
      type: "oauth2_client_credentials",
      accessTokenUrl: `${api.url}/oauth/token`,
      clientId: Secret.fromName("client_id"),
      clientSecret: Secret.fromName("client_secret"),
      requestData: { scope: Secret.fromPlainText("read") },
      clientAuthMethod: "client_secret_post",
      accessToken: undefined,
      defaultTokenExpiration: 3600,
      ...changes,
    };
    const auth = createTestAuth(plan, secrets, world);
    const bearer = async () => (await auth.apply(request)).headers.authorization;
    return { api, clock, world, auth, bearer };
  }

  /** Gives the tokens t1, t2, … */
  function giveTokens(expires_in?: unknown): Handler {
    let count = 0;
    return () => {
      count += 1;
      return { body: { access_token: `t${count}`, token_type: "bearer", expires_in } };
    };
  }

  test("an OAuth token is asked for with a form", async () => {
    const { api, bearer } = await openOAuth(giveTokens(3600));
    expect(await bearer()).toBe("Bearer t1");
    const [tokenRequest] = api.requests;
    expect(tokenRequest).toMatchObject({ method: "POST", path: "/oauth/token" });
    expect(tokenRequest?.headers["content-type"]).toBe("application/x-www-form-urlencoded");
    expect(Object.fromEntries(new URLSearchParams(tokenRequest?.body))).toEqual({
      ...members,
      grant_type: "client_credentials",
      scope: "read",
    });
  });

  test.each([
    ["a minute before its end", 3600, 3540],
    ["a minute before the end that a text names", "3600", 3540],
    ["at nine tenths of a short life", 100, 90],
    ["before the default life ends, where the answer names none", undefined, 3540],
    ["before the default life ends, where the answer names no number", "soon", 3540],
  ])("a new OAuth token is fetched %s", async (_, expiresIn, seconds) => {
    const { clock, bearer } = await openOAuth(giveTokens(expiresIn));
    await bearer();
    clock.advance(seconds * 1000 - 1);
    expect(await bearer()).toBe("Bearer t1");
    clock.advance(1);
    expect(await bearer()).toBe("Bearer t2");
  });

  test("an OAuth token that lives for no time is fetched for each request", async () => {
    const { bearer } = await openOAuth(giveTokens(0));
    expect([await bearer(), await bearer()]).toEqual(["Bearer t1", "Bearer t2"]);
  });

  test("access_token_request_data replaces the usual fields of an OAuth form", async () => {
    const requestData = {
      client_id: Secret.fromPlainText("other"),
      audience: Secret.fromName("client_id"),
    };
    const { api, bearer } = await openOAuth(giveTokens(), undefined, { requestData });
    await bearer();
    expect([...new URLSearchParams(api.requests[0]?.body)]).toEqual([
      ["client_id", "other"],
      ["client_secret", CANARY],
      ["grant_type", "client_credentials"],
      ["audience", "tide"],
    ]);
  });

  test("an OAuth client can use HTTP basic authentication", async () => {
    const { api, bearer } = await openOAuth(
      giveTokens(),
      testSecrets({ client_id: "a b", client_secret: "ü:" }),
      {
        clientAuthMethod: "client_secret_basic",
      },
    );
    await bearer();
    expect(api.requests[0]?.headers.authorization).toBe(`Basic ${btoa("a+b:%C3%BC%3A")}`);
    expect(api.requests[0]?.body).toBe("grant_type=client_credentials&scope=read");
  });

  test("an access_token of the config is used until it is refused", async () => {
    const secrets = testSecrets({ ...members, first: "t0" });
    const { api, auth, bearer } = await openOAuth(giveTokens(), secrets, {
      accessToken: Secret.fromName("first"),
    });
    expect([await bearer(), await bearer()]).toEqual(["Bearer t0", "Bearer t0"]);
    expect(api.requests).toHaveLength(0);
    await auth.renew();
    expect(await bearer()).toBe("Bearer t1");
  });

  test("an access_token of the config is used for the default life", async () => {
    const { clock, bearer } = await openOAuth(giveTokens(), undefined, {
      accessToken: Secret.fromPlainText("t0"),
    });
    await bearer();
    clock.advance(3_600_000);
    expect(await bearer()).toBe("Bearer t1");
  });

  test("an access_token_url can be a secret, and has to be a URL then", async () => {
    const accessTokenUrl = Secret.fromName("url");
    const tokenApi = await openApi(giveTokens());
    const good = testSecrets({ ...members, url: `${tokenApi.url}/t` });
    expect(await (await openOAuth([], good, { accessTokenUrl })).bearer()).toBe("Bearer t1");
    const bad = testSecrets({ ...members, url: CANARY });
    const error = await (await openOAuth([], bad, { accessTokenUrl }))
      .bearer()
      .catch((thrown) => thrown);
    expect(explainError(error)).toBe(
      'the secret "url" is no http or https URL; it is the access_token_url, like https://api.example.com/oauth/token',
    );
  });

  test("an OAuth token is hidden where the API repeats it (P15)", async () => {
    const { auth, bearer } = await openOAuth([{ body: { access_token: "canary/token" } }]);
    await bearer();
    expect(auth.quote("no canary/token, no canary%2Ftoken")).toBe("no [secret], no [secret]");
  });

  test("concurrent requests share a single OAuth token request", async () => {
    const { api, bearer } = await openOAuth(giveTokens(3600));
    expect(await Promise.all([bearer(), bearer(), bearer()])).toEqual(Array(3).fill("Bearer t1"));
    expect(api.requests).toHaveLength(1);
  });

  test("renewing drops the OAuth token and reads the secret again", async () => {
    const secrets = testSecrets(members, { ...members, client_secret: "rotated" });
    const { api, auth, bearer } = await openOAuth(giveTokens(3600), secrets);
    await bearer();
    await auth.renew();
    expect(await bearer()).toBe("Bearer t2");
    expect(new URLSearchParams(api.requests[1]?.body).get("client_secret")).toBe("rotated");
  });

  test("a failing token endpoint is retried like any endpoint", async () => {
    const script = [{ status: 503 }, { body: { access_token: "t1" } }];
    const { clock, bearer } = await openOAuth(script);
    expect(await bearer()).toBe("Bearer t1");
    expect(clock.sleeps).toEqual([2000]);
  });

  test.each([
    400, 401,
  ])("the error after a %i of the token endpoint names the secrets", async (status) => {
    const refused = { status, body: { error: "invalid_client", client_secret: CANARY } };
    const { api, bearer } = await openOAuth([refused]);
    const error = await bearer().catch((thrown) => thrown);
    expect(explainError(error)).toBe(
      `POST /oauth/token answered ${status}; check the secrets "client_id" and "client_secret" (tidetable check support)`,
    );
    // The same credentials would only be refused again.
    expect(api.requests).toHaveLength(1);
  });

  test("a rotated client secret is read after the token endpoint has refused the old one", async () => {
    const secrets = testSecrets(members, { ...members, client_secret: "rotated" });
    const { bearer } = await openOAuth((tokenRequest) => {
      const rotated = new URLSearchParams(tokenRequest.body).get("client_secret") === "rotated";
      return rotated ? { body: { access_token: "t1" } } : { status: 401 };
    }, secrets);
    expect(await bearer()).toBe("Bearer t1");
  });

  test.each<[unknown, string, string]>([
    [{ token: CANARY }, "extract.token", "POST /oauth/token answered without an access_token"],
    [{ access_token: "" }, "extract.token", "POST /oauth/token answered without an access_token"],
    [
      "access_token=canary&expires_in=1",
      "extract.body",
      "POST /oauth/token answered 200 with something that is not JSON",
    ],
  ])("a token endpoint's answer %j without a token is an error that does not quote it", async (body, code, message) => {
    const { world, bearer } = await openOAuth([{ body }]);
    await expect(bearer()).rejects.toMatchObject({ code, message });
    expect(world.lines.join()).not.toContain("canary");
  });
});
