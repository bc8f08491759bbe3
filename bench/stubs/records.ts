/** Makes about 1 KB of JSON: nested maps, lists, nulls, text beyond ASCII. */
export const makeRecord = (id: number) => ({
  id,
  subject: `Order ${id} arrived damaged — please advise`,
  status: ["open", "pending", "solved", "closed"][id % 4],
  priority: id % 7 === 0 ? "urgent" : "normal",
  created_at: new Date(1_700_000_000_000 + id * 60_000).toISOString(),
  updated_at: new Date(1_700_000_000_000 + id * 90_000).toISOString(),
  assignee: id % 5 === 0 ? null : { id: 9000 + (id % 40), name: "Zoë Müller", active: true },
  requester: { id: 40_000 + id, email: `user${id}@example.com`, locale: "en-GB", phone: null },
  tags: ["billing", "eu", `batch-${id % 100}`],
  satisfaction: { score: (id % 50) / 10, comment: null },
  description: "The parcel was opened when it arrived and one of the parts was missing. ".repeat(5),
  custom: Object.fromEntries(
    Array.from({ length: 6 }, (_, n) => [`field_${n}`, `value ${id + n}`]),
  ),
});

/** Removes the key of every hundredth record, which then cannot be stored. */
export const withoutKey = ({ id, ...rest }: ReturnType<typeof makeRecord>) =>
  id % 100 === 0 ? rest : { id, ...rest };
