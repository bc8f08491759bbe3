/*
 * Records that look as such APIs' records do: nested people, tags, nulls, fractions, ids beyond 2^53
 * and names that are not ASCII. The same seed gives the same ones.
 */

/** JSON, with integers beyond 2^53 as bigints. */
export type SampleRecord = Record<string, unknown>;

/** The n-th record (from 0) of a collection. */
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
const things = ["the invoice export", "SSO login", "my order", "the mobile app", "the webhook"];
const troubles = [
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
const sometimes = <T>(value: T, random: () => number): T | null => (random() < 0.3 ? null : value);

const FIRST_DAY = Date.UTC(2025, 0, 6, 8);
/** Some minutes after the record before. */
const moment = (n: number, random: () => number) =>
  new Date(FIRST_DAY + n * 47 * 60_000 + Math.floor(random() * 40 * 60_000)).toISOString();

const person = (random: () => number) => {
  const [name, email] = pick(people, random);
  return {
    name,
    email: sometimes(email, random),
    locale: pick(["en", "fr", "ja", "pt-BR"], random),
  };
};
const tags = (random: () => number) => allTags.filter(() => random() < 0.25);
const subject = (random: () => number) => `${pick(things, random)} ${pick(troubles, random)}`;

export const ticket: MakeRecord = (n, random) => ({
  id: 10_001 + n,
  name: subject(random),
  date: moment(n, random).slice(0, 10),
  status: pick(statuses, random),
  priority: pick(priorities, random),
  requester: { ...person(random), organization: { id: 100 + (n % 17), plan: "team" } },
  assignee: sometimes(person(random), random),
  hours_spent: Math.round(random() * 400) / 100,
  tags: tags(random),
  updated_at: moment(n, random),
});

export const helpDeskTicket: MakeRecord = (n, random) => ({
  id: 5_000_000 + n * 3,
  subject: subject(random),
  description: sometimes(
    `Hello,\n${subject(random)}.\nThanks – ${pick(people, random)[0]}`,
    random,
  ),
  status: pick(statuses, random),
  created_at: moment(n, random),
  updated_at: moment(n + 2, random),
  requester: person(random),
  satisfaction: sometimes(Math.round(random() * 50) / 10, random),
  custom_fields: { order_number: `A-${20_000 + n}`, gift: random() < 0.1, note: "" },
  tags: tags(random),
});

export const incident: MakeRecord = (n, random) => ({
  id: `INC-2025-${String(n + 1).padStart(4, "0")}`,
  title: `${pick(services, random)}: elevated error rate`,
  status: pick(["investigating", "identified", "monitoring", "resolved"], random),
  severity: 1 + Math.floor(random() * 4),
  services: services.filter(() => random() < 0.4),
  commander: sometimes(person(random), random),
  error_rate: Math.round(random() * 1e6) / 1e6,
  trace_id: 9_007_199_254_740_993n + BigInt(n) * 1_000_003n,
  created_at: moment(n * 6, random),
  updated_at: moment(n * 6 + 3, random),
  resolved_at: sometimes(moment(n * 6 + 5, random), random),
});

export const supportTicket: MakeRecord = (n, random) => ({
  id: 880_001 + n,
  subject: subject(random),
  status: pick(statuses, random),
  channel: pick(["email", "chat", "phone", "web"], random),
  requester: person(random),
  first_reply_minutes: sometimes(Math.floor(random() * 600), random),
  tags: tags(random),
  created_at: moment(n, random),
  updated_at: moment(n + 1, random),
});

export const ticketComment: MakeRecord = (n, random) => ({
  id: 1_234_567_890_123_456_789n + BigInt(n),
  ticket_id: 880_001 + Math.floor(n / 2),
  author: person(random),
  public: random() < 0.8,
  body: `Regarding ${subject(random)}: « ${pick(["on it", "fixed", "any news?", "merci !"], random)} »`,
  attachments: random() < 0.2 ? [{ name: "screenshot.png", bytes: 20_480 + n }] : [],
  status: pick(["sent", "delivered", "read"], random),
  updated_at: moment(n, random),
});

export const genericResource: MakeRecord = (n, random) => ({
  id: `res_${(n + 1).toString(36).padStart(5, "0")}`,
  name: `${pick(services, random)} ${pick(["quota", "limit", "budget"], random)} ${n + 1}`,
  value: sometimes(Math.round(random() * 1e7) / 1e4, random),
  status: pick(["active", "paused"], random),
  updated_at: moment(n, random),
});

const forumStates = ["open", "locked", "archived"];

export const forumTopic: MakeRecord = (n, random) => ({
  id: 300 + n,
  slug: `topic-${n + 1}`,
  title: `How to: ${subject(random)}?`,
  status: pick(forumStates, random),
  author: person(random),
  tags: tags(random),
  updated_at: moment(n * 9, random),
});

/** Four to a topic, about. */
export const forumPost: MakeRecord = (n, random) => ({
  id: 7_000_000_000_000_000_001n + BigInt(n),
  topic_id: 300 + Math.floor(n / 4),
  author: person(random),
  body: `${pick(["Same here:", "Solved.", "« merci »", "+1 🐢"], random)} ${subject(random)}`,
  likes: Math.floor(random() * 40),
  status: pick(["visible", "hidden"], random),
  updated_at: moment(n * 2, random),
});

export const repositoryIssue: MakeRecord = (n, random) => ({
  id: 2_100_000_000 + n * 7,
  number: n + 1,
  title: `${pick(services, random)}: ${pick(troubles, random)}`,
  status: pick(["open", "closed"], random),
  user: { login: pick(["ada", "björn", "chi", "dmitri"], random), id: 40 + (n % 9) },
  labels: tags(random).map((name) => ({ name })),
  comments: Math.floor(random() * 20),
  // The API lists pull requests among the issues, and marks them by this member.
  ...(random() < 0.3 ? { pull_request: { merged_at: sometimes(moment(n, random), random) } } : {}),
  updated_at: moment(n * 5, random),
});

export const product: MakeRecord = (n, random) => ({
  sku: `SKU-${String(n + 1).padStart(5, "0")}`,
  name: `${pick(["Teapot", "Lamp", "Chair", "Kettle"], random)} ${pick(["S", "M", "L"], random)}`,
  price: Math.round(random() * 20_000) / 100,
  status: pick(["active", "retired"], random),
  stock: sometimes(Math.floor(random() * 50), random),
  updated_at: moment(n, random),
});
