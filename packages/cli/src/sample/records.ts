/*
 * Records like those of real APIs: nested people, tags, nulls, fractions, ids beyond 2^53 and names
 * that are not ASCII. The same seed gives the same records.
 */

/** A JSON object. Integers beyond 2^53 are bigints. */
export type SampleRecord = Record<string, unknown>;

/** Makes the n-th record of a collection, counted from 0. */
export type MakeRecord = (n: number, random: () => number) => SampleRecord;

const people = [
  ["Ana Souza", "ana.souza@example.com"],
  ["Björn Åkesson", "bjorn@example.org"],
  ["Chiamaka Obi", "chiamaka.obi@example.net"],
  ["佐藤 美咲", "misaki.sato@example.jp"],
  ["Dmitri Volkov", "d.volkov@example.com"],
  ["Élise Fournier", "elise@example.fr"],
  ["Grace O'Neill", "grace.oneill@example.ie"],
  ["Zeynep Yılmaz", "zeynep@example.com.tr"],
] as const;
const subjects = ["the invoice export", "SSO login", "my order", "the mobile app", "the webhook"];
const symptoms = [
  "fails with a time-out",
  "shows the wrong total",
  "asks for the password twice",
  "is slow since Monday 🐢",
  "can't be found",
];
const services = ["checkout", "search", "billing", "auth", "notifications"];
const allTags = ["vip", "refund", "bug", "how-to", "überfällig", "mobile", "eu"];
const statuses = ["open", "pending", "on_hold", "solved", "closed"];
const priorities = ["low", "normal", "high", "urgent"];

const pick = <T>(list: readonly T[], random: () => number): T =>
  list[Math.floor(random() * list.length)] as T;
const orNull = <T>(value: T, random: () => number): T | null => (random() < 0.3 ? null : value);

const FIRST_DAY = Date.UTC(2025, 0, 6, 8);
/** A time some minutes after the previous record's. */
const timeOf = (n: number, random: () => number) =>
  new Date(FIRST_DAY + n * 47 * 60_000 + Math.floor(random() * 40 * 60_000)).toISOString();

const makePerson = (random: () => number) => {
  const [name, email] = pick(people, random);
  return {
    name,
    email: orNull(email, random),
    locale: pick(["en", "fr", "ja", "pt-BR"], random),
  };
};
const makeTags = (random: () => number) => allTags.filter(() => random() < 0.25);
const makeSubject = (random: () => number) => `${pick(subjects, random)} ${pick(symptoms, random)}`;

export const ticket: MakeRecord = (n, random) => ({
  id: 10_001 + n,
  name: makeSubject(random),
  date: timeOf(n, random).slice(0, 10),
  status: pick(statuses, random),
  priority: pick(priorities, random),
  requester: { ...makePerson(random), organization: { id: 100 + (n % 17), plan: "team" } },
  assignee: orNull(makePerson(random), random),
  hours_spent: Math.round(random() * 400) / 100,
  tags: makeTags(random),
  updated_at: timeOf(n, random),
});

export const helpDeskTicket: MakeRecord = (n, random) => ({
  id: 5_000_000 + n * 3,
  subject: makeSubject(random),
  description: orNull(
    `Hello,\n${makeSubject(random)}.\nThanks – ${pick(people, random)[0]}`,
    random,
  ),
  status: pick(statuses, random),
  created_at: timeOf(n, random),
  updated_at: timeOf(n + 2, random),
  requester: makePerson(random),
  satisfaction: orNull(Math.round(random() * 50) / 10, random),
  custom_fields: { order_number: `A-${20_000 + n}`, gift: random() < 0.1, note: "" },
  tags: makeTags(random),
});

export const incident: MakeRecord = (n, random) => ({
  id: `INC-2025-${String(n + 1).padStart(4, "0")}`,
  title: `${pick(services, random)}: elevated error rate`,
  status: pick(["investigating", "identified", "monitoring", "resolved"], random),
  severity: 1 + Math.floor(random() * 4),
  services: services.filter(() => random() < 0.4),
  commander: orNull(makePerson(random), random),
  error_rate: Math.round(random() * 1e6) / 1e6,
  trace_id: 9_007_199_254_740_993n + BigInt(n) * 1_000_003n,
  created_at: timeOf(n * 6, random),
  updated_at: timeOf(n * 6 + 3, random),
  resolved_at: orNull(timeOf(n * 6 + 5, random), random),
});

export const supportTicket: MakeRecord = (n, random) => ({
  id: 880_001 + n,
  subject: makeSubject(random),
  status: pick(statuses, random),
  channel: pick(["email", "chat", "phone", "web"], random),
  requester: makePerson(random),
  first_reply_minutes: orNull(Math.floor(random() * 600), random),
  tags: makeTags(random),
  created_at: timeOf(n, random),
  updated_at: timeOf(n + 1, random),
});

export const ticketComment: MakeRecord = (n, random) => ({
  id: 1_234_567_890_123_456_789n + BigInt(n),
  ticket_id: 880_001 + Math.floor(n / 2),
  author: makePerson(random),
  public: random() < 0.8,
  body: `Regarding ${makeSubject(random)}: « ${pick(["on it", "fixed", "any news?", "merci !"], random)} »`,
  attachments: random() < 0.2 ? [{ name: "screenshot.png", bytes: 20_480 + n }] : [],
  status: pick(["sent", "delivered", "read"], random),
  updated_at: timeOf(n, random),
});

export const genericResource: MakeRecord = (n, random) => ({
  id: `res_${(n + 1).toString(36).padStart(5, "0")}`,
  name: `${pick(services, random)} ${pick(["quota", "limit", "budget"], random)} ${n + 1}`,
  value: orNull(Math.round(random() * 1e7) / 1e4, random),
  status: pick(["active", "paused"], random),
  updated_at: timeOf(n, random),
});

const forumStates = ["open", "locked", "archived"];

export const forumTopic: MakeRecord = (n, random) => ({
  id: 300 + n,
  slug: `topic-${n + 1}`,
  title: `How to: ${makeSubject(random)}?`,
  status: pick(forumStates, random),
  author: makePerson(random),
  tags: makeTags(random),
  updated_at: timeOf(n * 9, random),
});

/** A topic has about four posts. */
export const forumPost: MakeRecord = (n, random) => ({
  id: 7_000_000_000_000_000_001n + BigInt(n),
  topic_id: 300 + Math.floor(n / 4),
  author: makePerson(random),
  body: `${pick(["Same here:", "Solved.", "« merci »", "+1 🐢"], random)} ${makeSubject(random)}`,
  likes: Math.floor(random() * 40),
  status: pick(["visible", "hidden"], random),
  updated_at: timeOf(n * 2, random),
});

export const repositoryIssue: MakeRecord = (n, random) => ({
  id: 2_100_000_000 + n * 7,
  number: n + 1,
  title: `${pick(services, random)}: ${pick(symptoms, random)}`,
  status: pick(["open", "closed"], random),
  user: { login: pick(["ada", "björn", "chi", "dmitri"], random), id: 40 + (n % 9) },
  labels: makeTags(random).map((name) => ({ name })),
  comments: Math.floor(random() * 20),
  // The API lists pull requests among the issues. Only pull requests have this member.
  ...(random() < 0.3 ? { pull_request: { merged_at: orNull(timeOf(n, random), random) } } : {}),
  updated_at: timeOf(n * 5, random),
});

export const product: MakeRecord = (n, random) => ({
  sku: `SKU-${String(n + 1).padStart(5, "0")}`,
  name: `${pick(["Teapot", "Lamp", "Chair", "Kettle"], random)} ${pick(["S", "M", "L"], random)}`,
  price: Math.round(random() * 20_000) / 100,
  status: pick(["active", "retired"], random),
  stock: orNull(Math.floor(random() * 50), random),
  updated_at: timeOf(n, random),
});
