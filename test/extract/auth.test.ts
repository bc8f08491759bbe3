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

function setup(
  plan: AuthPlan | undefined,
  secrets: ReturnType<typeof testSecrets>,
  world = testWorld(),
  changes: Partial<RequestPlan> = {},
) {
  const resource = testResource(origin);
  const { retry, timeoutMs } = resource;
  const resourceRef = { source: "support", resource: "tickets" };
  const context = { resourceRef, world, retry, timeoutMs };
  const asked = { source: "support", auth: plan, request: { ...resource.request, ...changes } };
  return createAuthenticator(asked, { secrets, context });
}

const key = (location: "header" | "query" | "cookie", name = "api_key"): AuthPlan => ({
  type: "api_key",
  name,
  apiKey: Secret.fromName("api_key"),
  location,
});

const basic: AuthPlan = {
  type: "http_basic",
  username: Secret.fromName("user"),
  password: Secret.fromName("password"),
};

describe("a copy of the request gets the credentials", () => {
  const encoded = "canary%2Fkey%2Bwith%3Dsigns%26a+space";
  test.each<[string, AuthPlan | undefined, Partial<HttpRequest>]>([
    ["none", undefined, {}],
    ["an api key in the query", key("query"), { url: `${request.url}&api_key=${encoded}` }],
    [
      "an api key in a header",
      key("header", "X-Api-Key"),
      { headers: { "x-team": "a", "x-api-key": CANARY } },
    ],
    [
      "an api key in a cookie",
      key("cookie", "sid"),
      { headers: { "x-team": "a", cookie: `sid=${CANARY}` } },
    ],
    [
      "a bearer token",
      { type: "bearer", token: Secret.fromName("api_key") },
      { headers: { "x-team": "a", authorization: `Bearer ${CANARY}` } },
    ],
    [
      "user and password in UTF-8",
      basic,
      { headers: { "x-team": "a", authorization: `Basic ${btoa("jos\u00c3\u00a9:")}` } },
    ],
  ])("%s", async (_, plan, changes) => {
    const before = structuredClone(request);
    const auth = setup(plan, testSecrets({ api_key: CANARY, user: "josé", password: "" }));
    expect(await auth.apply(request)).toEqual({ ...request, ...changes });
    expect(request).toEqual(before);
  });

  test("an echoed key is replaced, not repeated", async () => {
    const auth = setup(key("query"), testSecrets({ api_key: "new" }));
    const signed = await auth.apply({ ...request, url: `${origin}/v1?api_key=old&page=2` });
    expect(new URL(signed.url).searchParams.getAll("api_key")).toEqual(["new"]);
  });

  test("the rest of a query stays as it was written", async () => {
    const auth = setup(key("query"), testSecrets({ api_key: "k" }));
    const signed = await auth.apply({ ...request, url: `${origin}/v1?at=1:2&q=a%20b` });
    expect(signed.url).toBe(`${origin}/v1?at=1:2&q=a%20b&api_key=k`);
  });

  test("a key in a cookie goes behind the configured ones", async () => {
    const auth = setup(key("cookie", "sid"), testSecrets({ api_key: "k" }));
    const signed = await auth.apply({ ...request, headers: { cookie: "lang=de" } });
    expect(signed.headers).toEqual({ cookie: "lang=de; sid=k" });
  });

  test("a key can be a part of a text", async () => {
    const plan = {
      ...key("header", "Authorization"),
      apiKey: Secret.fromText("Token {secrets.k}!"),
    };
    const auth = setup(plan as AuthPlan, testSecrets({ k: CANARY }));
    expect((await auth.apply(request)).headers.authorization).toBe(`Token ${CANARY}!`);
    expect(auth.quote(`bad ${CANARY}`)).toBe("bad [secret]");
    expect(auth.refusedHint).toContain('the secret "k"');
  });
});

describe("credentials go to the configured origins only (P16)", () => {
  const allowed = { allowedOrigins: ["https://files.example.com"] };
  const elsewhere = { url: "https://other.example/v1" };

  test("another origin that the config allows", async () => {
    const auth = setup(key("query"), testSecrets({ api_key: "k" }), testWorld(), allowed);
    const signed = await auth.apply({ ...request, url: "https://files.example.com/a" });
    expect(signed.url).toBe("https://files.example.com/a?api_key=k");
    await expect(auth.apply({ ...request, url: "https://evil.example/" })).rejects.toThrow(
      `for ${origin} and https://files.example.com only`,
    );
  });

  test("a path that is a whole URL is asked without any, headers with secrets left out", async () => {
    const auth = setup(undefined, testSecrets({ k: CANARY }), testWorld(), elsewhere);
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
  ])("%s", async (url) => {
    for (const plan of [key("query"), undefined]) {
      const secrets = testSecrets({ api_key: CANARY });
      await expect(setup(plan, secrets).apply({ ...request, url })).rejects.toMatchObject({
        code: "extract.origin",
        message: expect.stringContaining(`the credentials are for ${origin} only`),
      });
    }
  });
});

test("a credential with a line break is an error without its text", async () => {
  const auth = setup(key("header", "X-Key"), testSecrets({ api_key: `${CANARY}\n` }));
  const error = await auth.apply(request).catch((thrown) => thrown);
  expect(explainError(error)).toBe(
    'the credential for the header "x-key" has a character that headers cannot carry; was it pasted with a line break?',
  );
});

describe("what to check after a refusal", () => {
  test.each<[AuthPlan | undefined, string]>([
    [key("query"), 'check the secret "api_key" (tidetable check support)'],
    [basic, 'check the secrets "user" and "password" (tidetable check support)'],
    [{ type: "bearer", token: Secret.fromPlainText("x") }, "check the credentials in the config"],
    [undefined, "the config names no auth for this resource: does the API need one?"],
  ])("%#", (plan, hint) => {
    expect(setup(plan, testSecrets({})).refusedHint).toBe(hint);
  });
});

describe("renewing", () => {
  test("reads the secret afresh", async () => {
    const secrets = testSecrets({ api_key: "old" }, { api_key: "new" });
    const auth = setup(key("header", "x-key"), secrets);
    expect((await auth.apply(request)).headers["x-key"]).toBe("old");
    expect(await auth.renew()).toBe(true);
    expect((await auth.apply(request)).headers["x-key"]).toBe("new");
  });

  test("is not possible for what stands in the config", async () => {
    const secrets = testSecrets({});
    expect(await setup({ type: "bearer", token: Secret.fromPlainText("x") }, secrets).renew()).toBe(
      false,
    );
    expect(await setup(undefined, secrets).renew()).toBe(false);
    expect(secrets.refreshes).toBe(0);
  });
});

describe("OAuth2 client credentials", () => {
  const members = { client_id: "tide", client_secret: CANARY };

  async function oauth(
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
    const auth = setup(plan, secrets, world);
    const bearer = async () => (await auth.apply(request)).headers.authorization;
    return { api, clock, world, auth, bearer };
  }

  /** Gives the tokens t1, t2, … */
  function tokens(expires_in?: unknown): Handler {
    let given = 0;
    return () => {
      given += 1;
      return { body: { access_token: `t${given}`, token_type: "bearer", expires_in } };
    };
  }

  test("asks for a token with a form", async () => {
    const { api, bearer } = await oauth(tokens(3600));
    expect(await bearer()).toBe("Bearer t1");
    const [seen] = api.requests;
    expect(seen).toMatchObject({ method: "POST", path: "/oauth/token" });
    expect(seen?.headers["content-type"]).toBe("application/x-www-form-urlencoded");
    expect(Object.fromEntries(new URLSearchParams(seen?.body))).toEqual({
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
  ])("takes a new token %s", async (_, expiresIn, seconds) => {
    const { clock, bearer } = await oauth(tokens(expiresIn));
    await bearer();
    clock.advance(seconds * 1000 - 1);
    expect(await bearer()).toBe("Bearer t1");
    clock.advance(1);
    expect(await bearer()).toBe("Bearer t2");
  });

  test("a token that lives for no time is fetched for each request", async () => {
    const { bearer } = await oauth(tokens(0));
    expect([await bearer(), await bearer()]).toEqual(["Bearer t1", "Bearer t2"]);
  });

  test("more fields go over the others", async () => {
    const requestData = {
      client_id: Secret.fromPlainText("other"),
      audience: Secret.fromName("client_id"),
    };
    const { api, bearer } = await oauth(tokens(), undefined, { requestData });
    await bearer();
    expect([...new URLSearchParams(api.requests[0]?.body)]).toEqual([
      ["client_id", "other"],
      ["client_secret", CANARY],
      ["grant_type", "client_credentials"],
      ["audience", "tide"],
    ]);
  });

  test("the client can say who it is by HTTP basic authentication", async () => {
    const { api, bearer } = await oauth(
      tokens(),
      testSecrets({ client_id: "a b", client_secret: "ü:" }),
      {
        clientAuthMethod: "client_secret_basic",
      },
    );
    await bearer();
    expect(api.requests[0]?.headers.authorization).toBe(`Basic ${btoa("a+b:%C3%BC%3A")}`);
    expect(api.requests[0]?.body).toBe("grant_type=client_credentials&scope=read");
  });

  test("a token to begin with is used until it is refused", async () => {
    const secrets = testSecrets({ ...members, first: "t0" });
    const { api, auth, bearer } = await oauth(tokens(), secrets, {
      accessToken: Secret.fromName("first"),
    });
    expect([await bearer(), await bearer()]).toEqual(["Bearer t0", "Bearer t0"]);
    expect(api.requests).toHaveLength(0);
    await auth.renew();
    expect(await bearer()).toBe("Bearer t1");
  });

  test("a token to begin with is used for the default life", async () => {
    const { clock, bearer } = await oauth(tokens(), undefined, {
      accessToken: Secret.fromPlainText("t0"),
    });
    await bearer();
    clock.advance(3_600_000);
    expect(await bearer()).toBe("Bearer t1");
  });

  test("where to ask can be a secret, and has to be a URL then", async () => {
    const accessTokenUrl = Secret.fromName("url");
    const other = await openApi(tokens());
    const good = testSecrets({ ...members, url: `${other.url}/t` });
    expect(await (await oauth([], good, { accessTokenUrl })).bearer()).toBe("Bearer t1");
    const bad = testSecrets({ ...members, url: CANARY });
    const error = await (await oauth([], bad, { accessTokenUrl }))
      .bearer()
      .catch((thrown) => thrown);
    expect(explainError(error)).toBe(
      'the secret "url" is no http or https URL; it is the access_token_url, like https://api.example.com/oauth/token',
    );
  });

  test("a token is hidden where the API repeats it (P15)", async () => {
    const { auth, bearer } = await oauth([{ body: { access_token: "canary/token" } }]);
    await bearer();
    expect(auth.quote("no canary/token, no canary%2Ftoken")).toBe("no [secret], no [secret]");
  });

  test("requests at the same time share one token request", async () => {
    const { api, bearer } = await oauth(tokens(3600));
    expect(await Promise.all([bearer(), bearer(), bearer()])).toEqual(Array(3).fill("Bearer t1"));
    expect(api.requests).toHaveLength(1);
  });

  test("renewing drops the token and reads the secret afresh", async () => {
    const secrets = testSecrets(members, { ...members, client_secret: "rotated" });
    const { api, auth, bearer } = await oauth(tokens(3600), secrets);
    await bearer();
    await auth.renew();
    expect(await bearer()).toBe("Bearer t2");
    expect(new URLSearchParams(api.requests[1]?.body).get("client_secret")).toBe("rotated");
  });

  test("a failing token endpoint is retried like any other", async () => {
    const script = [{ status: 503 }, { body: { access_token: "t1" } }];
    const { clock, bearer } = await oauth(script);
    expect(await bearer()).toBe("Bearer t1");
    expect(clock.sleeps).toEqual([2000]);
  });

  test.each([400, 401])("a %i of the token endpoint names the secrets", async (status) => {
    const refused = { status, body: { error: "invalid_client", client_secret: CANARY } };
    const { api, bearer } = await oauth([refused]);
    const error = await bearer().catch((thrown) => thrown);
    expect(explainError(error)).toBe(
      `POST /oauth/token answered ${status}; check the secrets "client_id" and "client_secret" (tidetable check support)`,
    );
    // The same credentials again would be refused again.
    expect(api.requests).toHaveLength(1);
  });

  test("a secret that was rotated is picked up by the token endpoint's refusal", async () => {
    const secrets = testSecrets(members, { ...members, client_secret: "rotated" });
    const { bearer } = await oauth((seen) => {
      const rotated = new URLSearchParams(seen.body).get("client_secret") === "rotated";
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
  ])("an answer without a token is an error that does not quote it: %j", async (body, code, message) => {
    const { world, bearer } = await oauth([{ body }]);
    await expect(bearer()).rejects.toMatchObject({ code, message });
    expect(world.lines.join()).not.toContain("canary");
  });
});
