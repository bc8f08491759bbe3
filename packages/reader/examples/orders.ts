import { rest_api_source } from "@tidetable/core";
import { table } from "@tidetable/reader";

const shop = rest_api_source({
  client: { base_url: "https://shop.example.com/api" },
  resources: [{ name: "orders", primary_key: "id", columns: { status: { data_type: "text" } } }],
});
const orders = table(shop, "orders", { source: "shop" }); // the table that `tidetable run` fills
const order = await orders.get({ id: 7 }); // { id: string; status: string | null; … } | undefined
console.log(order?.status?.toUpperCase());
for await (const page of orders.scan({ fields: ["id"] })) console.log(page.map(({ id }) => id));
